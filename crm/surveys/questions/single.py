"""One of several options."""

from collections.abc import Iterator
from typing import Any

from crm.surveys.errors import Problem
from crm.surveys.question_types import read_option
from crm.surveys.types import Question


class Single:
    """The key of one option."""

    name = "single"
    label = "Single choice"
    has_options = True
    is_numeric = False

    def check(self, question: Question) -> Iterator[Problem]:
        """Nothing beyond the options themselves can be wrong."""
        del question
        yield from ()

    def read(self, question: Question, value: Any) -> str:
        """The option's key."""
        return read_option(question, value)


single = Single()
