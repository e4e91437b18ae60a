"""How an input is read against an open question."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crm.messages.types import Request


@dataclass
class OpenQuestion:
    """The question that a run waits on, as it stands on the conversation row."""

    step: int
    """Which question of its run this is; its buttons carry it."""
    path: str
    """The journal's place that the answer will take."""
    wants_text: bool = True
    """Text is being asked, so that keywords start no flow."""
    options: list[list[str]] = field(default_factory=list)
    """[key, label as shown] in the order of the buttons."""
    draft: list[str] = field(default_factory=list)
    """Keys chosen so far of a question for several."""
    stands_alone: bool = True
    """Nothing else was said in its message, so that the next question may take its place."""
    tries: int = 0
    """How many inputs were refused."""
    times_out_at: str | None = None
    has_timers: bool = False
    job: str | None = None
    """The job whose result is awaited, instead of a person's answer."""


Label = str | Mapping[str, str] | None
"""A text, a text by locale, or None: the template of the message names it."""


def label_in(label: Label, locale: str) -> str | None:
    """The label in `locale`, else in English, else in any language; None if the template is to name it."""
    if label is None or isinstance(label, str):
        return label
    return label.get(locale) or label.get("en") or next(iter(label.values()), None)


@dataclass(frozen=True)
class Option:
    """One choice."""

    key: str
    label: Label = None

    def label_in(self, locale: str) -> str | None:
        """See `label_in`."""
        return label_in(self.label, locale)


@dataclass(frozen=True)
class Shape:
    """What a question shows beside its text."""

    options: tuple[Option, ...] = ()
    chosen: tuple[str, ...] = ()
    """Keys that are chosen from the start, where several may be."""
    columns: int = 1
    takes_several: bool = False
    can_skip: bool = False
    wants_text: bool = True
    request: Request | None = None


@dataclass(frozen=True)
class Answer:
    """The input answers the question."""

    value: Any


@dataclass(frozen=True)
class Draft:
    """The input changes what is chosen so far; the question stays open."""

    keys: list[str]


Reading = Answer | Draft


class Refused(Exception):
    """The input is no answer. `hint` names a template of `hints/`; `facts` are its values."""

    def __init__(self, hint: str, **facts: Any) -> None:
        self.hint = hint
        self.facts = facts
        super().__init__(hint)
