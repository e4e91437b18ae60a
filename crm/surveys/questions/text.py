"""An answer in the member's own words."""

from collections.abc import Iterator
from typing import Any

from crm.kit.text import clean_text
from crm.surveys.errors import InvalidAnswer, Problem
from crm.surveys.types import Question

LONGEST = 2000


class Text:
    """Free text of 1 to 2000 characters."""

    name = "text"
    label = "Own words"
    has_options = False
    is_numeric = False

    def check(self, question: Question) -> Iterator[Problem]:
        """Nothing can be wrong."""
        del question
        yield from ()

    def read(self, question: Question, value: Any) -> str:
        """The text without NUL and outer blanks."""
        del question
        cleaned = clean_text(value).strip() if isinstance(value, str) else ""
        if not 1 <= len(cleaned) <= LONGEST:
            raise InvalidAnswer(f"the answer must be a text of 1 to {LONGEST} characters")
        return cleaned


text = Text()
