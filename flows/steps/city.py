"""Choosing a time zone by a tap on a city, or by typing one."""

from dataclasses import dataclass
from typing import Any

from crm.members import service as members
from crm.members.types import MemberChanges
from flows.engine.chat import Chat
from flows.engine.choices import Choice
from flows.engine.inputs import Input, InputKind
from flows.engine.questions import Question, Text, typed_text
from flows.engine.reading import Answer, OpenQuestion, Reading, Shape
from flows.steps import zones
from flows.steps.patience import A_DAY

_MOST_TYPED = 100
_NUMBERS = {str(number) for number, _ in enumerate(zones.COMMON, start=1)}
"""What is typed where the options are numbered lines."""


@dataclass(frozen=True)
class City(Question[str]):
    """One of the common zones by a tap, or any text."""

    def shape(self, locale: str) -> Shape:
        """A button for each common zone; text is expected just as well."""
        del locale
        return Shape(tuple(zones.options(list(zones.COMMON))), columns=2)

    def read(self, given: Input, asked: OpenQuestion, locale: str) -> Reading:
        """An IANA name if tapped, else what was typed. Raises Refused."""
        is_number = given.kind is InputKind.TEXT and given.text.strip() in _NUMBERS
        if given.kind is InputKind.BUTTON or is_number:
            return Choice(*zones.COMMON).read(given, asked, locale)
        return Answer(self.load(typed_text(given)))

    def load(self, value: Any) -> str:
        """The text. Raises Refused."""
        return Text(_MOST_TYPED).load(value)


async def choose_zone(chat: Chat) -> None:
    """Asks until a city is found; the change holds from the next local day, or at once for who has no days yet."""
    found: list[str] = []
    while not found:
        typed = await chat.ask("time_zone/ask", City(), timeout=A_DAY)
        found = [typed] if typed in zones.COMMON else await chat.look(zones.search, typed)
        if not found:
            await chat.say("time_zone/unknown_city", city=typed)
    zone = found[0]
    if len(found) > 1:
        zone = await chat.ask("time_zone/which", Choice(*zones.options(found), columns=2), timeout=A_DAY)
    is_other = zone != await chat.look(zones.current)
    member = await chat.do(members.change, MemberChanges(time_zone=zone), by="member", key="time_zone")
    changed = "changed" if is_other and member.zone_changes_at is not None else "changed_now"
    await chat.say(f"time_zone/{changed}", zone=zones.cities(zone))
