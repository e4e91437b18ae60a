"""Any number of several options."""

from collections.abc import Iterator
from typing import Any

from crm.surveys.errors import InvalidAnswer, Problem
from crm.surveys.question_types import read_option
from crm.surveys.types import Question


class Multiple:
    """The keys of one or more options, stored in the order of the options."""

    name = "multiple"
    label = "Multiple choice"
    has_options = True
    is_numeric = False

    def check(self, question: Question) -> Iterator[Problem]:
        """Nothing beyond the options themselves can be wrong."""
        del question
        yield from ()

    def read(self, question: Question, value: Any) -> list[str]:
        """The chosen keys, each once."""
        if not isinstance(value, list) or not value:
            raise InvalidAnswer("choose at least one option")
        chosen = {read_option(question, item) for item in value}
        return [option.key for option in question.options if option.key in chosen]


multiple = Multiple()
