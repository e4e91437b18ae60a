"""The question for a six-digit code."""

from dataclasses import dataclass
from typing import Any, ClassVar

from flows.engine.inputs import Input
from flows.engine.questions import Question, typed_text
from flows.engine.reading import Answer, OpenQuestion, Reading, Refused

_LENGTH = 6
_MOST_READ = 40


def digits(text: str) -> str | None:
    """The six digits in `text`, however they are spaced or however wide; None if it is no code."""
    if len(text) > _MOST_READ:
        return None
    kept = [character for character in text if character not in " -\u3000"]
    if len(kept) != _LENGTH or not all(character.isdecimal() for character in kept):
        return None
    return "".join(str(int(character)) for character in kept)


@dataclass(frozen=True)
class Code(Question[str]):
    """Six digits."""

    wants_text: ClassVar[bool] = False

    def read(self, given: Input, asked: OpenQuestion, locale: str) -> Reading:
        """The code. Raises Refused."""
        del asked, locale
        return Answer(self.load(typed_text(given)))

    def load(self, value: Any) -> str:
        """The code. Raises Refused."""
        found = digits(str(value))
        if found is None:
            raise Refused("code_expected")
        return found
