"""The question for a name: typed, or the one that the channel knows with one tap."""

from dataclasses import dataclass
from typing import Any

from crm.kit.text import NAME_GRAPHEMES, clean_name, clean_text, graphemes
from flows.engine.choices import Choice
from flows.engine.inputs import Input, InputKind
from flows.engine.questions import Question, typed_text
from flows.engine.reading import Answer, OpenQuestion, Option, Reading, Refused, Shape

_MOST_READ = 2000


@dataclass(frozen=True)
class Name(Question[str]):
    """A name of 1 to 64 characters on one line; `suggestion` is offered as a button unless it is empty."""

    suggestion: str = ""

    def shape(self, locale: str) -> Shape:
        """The suggestion as a button; text is expected just as well. Nobody is called `menu`: keywords start flows."""
        del locale
        return Shape((Option(self.suggestion, self.suggestion),) if self.suggestion else (), wants_text=False)

    def read(self, given: Input, asked: OpenQuestion, locale: str) -> Reading:
        """The cleaned name. Raises Refused."""
        is_first = given.kind is InputKind.TEXT and given.text.strip() == "1"  # where options are numbered lines
        if self.suggestion and (given.kind is InputKind.BUTTON or is_first):
            return Choice(self.suggestion).read(given, asked, locale)
        return Answer(self.load(typed_text(given)))

    def load(self, value: Any) -> str:
        """The name, if something of it can be seen. Raises Refused."""
        text = clean_text(str(value))
        if len(text) > _MOST_READ or len(graphemes(text)) > NAME_GRAPHEMES:
            raise Refused("too_long", maximum=NAME_GRAPHEMES)
        name = clean_name(text)
        if not name:
            raise Refused("name_expected")
        return name
