"""Stars."""

from collections.abc import Iterator
from typing import Any

from crm.surveys.errors import Problem
from crm.surveys.question_types import read_number
from crm.surveys.types import Question

FEWEST = 2
MOST = 10


class Rating:
    """A whole number from 1 to the question's scale."""

    name = "rating"
    label = "Rating"
    has_options = False
    is_numeric = True

    def check(self, question: Question) -> Iterator[Problem]:
        """The scale must be one that fits into a row of buttons."""
        if not FEWEST <= question.scale <= MOST:
            yield Problem("scale", f"a scale goes up to a number between {FEWEST} and {MOST}")

    def read(self, question: Question, value: Any) -> int:
        """The number."""
        return read_number(value, 1, question.scale)


rating = Rating()
