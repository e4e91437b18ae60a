"""How likely a member is to recommend the brand, 0 to 10."""

from collections.abc import Iterator
from typing import Any

from crm.surveys.errors import Problem
from crm.surveys.question_types import read_number
from crm.surveys.types import Question

BEST = 10


class Nps:
    """A whole number from 0 to 10; the first one of a survey is the response's NPS."""

    name = "nps"
    label = "Recommendation, 0-10"
    has_options = False
    is_numeric = True

    def check(self, question: Question) -> Iterator[Problem]:
        """Nothing can be wrong."""
        del question
        yield from ()

    def read(self, question: Question, value: Any) -> int:
        """The number."""
        del question
        return read_number(value, 0, BEST)


nps = Nps()
