"""Public values of conversations."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from crm.kit.errors import ConflictError


class StaleConversation(ConflictError):
    """The conversation went on meanwhile; try again."""


@dataclass(frozen=True)
class Conversation:
    """One identity's conversation: the runs of its flows, bottom first, as the flow engine wrote them."""

    id: int
    identity_id: int
    bot_id: int
    chat_key: str
    version: int
    runs_started: int = 0
    runs: list[dict[str, Any]] = field(default_factory=list)
    changed_at: datetime | None = None
    """When it last went on; None for one that is not stored."""
    taps_known_until: datetime | None = None
    """The end of the last outage after which it was settled whether to ask for taps again."""


@dataclass(frozen=True)
class JournalEntry:
    """What a step of a run did: its place, its order, and its JSON value."""

    path: str
    occurrence: int
    position: int
    is_effect: bool
    value: Any


@dataclass(frozen=True)
class Place:
    """A question of a run of a conversation; as text, the address under which a job reports its result."""

    conversation_id: int
    run: int
    step: int

    def __str__(self) -> str:
        return f"{self.conversation_id}:{self.run}:{self.step}"

    @staticmethod
    def parse(address: str) -> "Place":
        """The place that an address names. Raises ValueError."""
        conversation_id, run, step = (int(part) for part in address.split(":"))
        return Place(conversation_id, run, step)


class WakeKind(StrEnum):
    """Why a conversation is woken without a word from the member."""

    TIMEOUT = "timeout"
    REMINDER = "reminder"
    RESULT = "result"


@dataclass(frozen=True)
class Wake:
    """Something for question `step` of run `run`, due at a time; `value` is a job's result."""

    id: int
    place: Place
    identity_id: int
    bot_id: int
    chat_key: str
    kind: WakeKind
    attempts: int = 0
    value: Any = None


class Direction(StrEnum):
    """Who said it."""

    IN = "in"
    OUT = "out"
    OPERATOR = "operator"


@dataclass(frozen=True)
class NewMessage:
    """A line for the transcript; `buttons` are the labels below it."""

    direction: Direction
    kind: str
    text: str
    buttons: list[str] = field(default_factory=list)
    is_cut: bool = False
    operator_id: int | None = None
    photo_media_id: UUID | None = None


@dataclass(frozen=True)
class TranscriptMessage:
    """A line of the transcript."""

    id: UUID
    at: datetime
    identity_id: int
    direction: Direction
    kind: str
    text: str
    buttons: list[str]
    is_cut: bool
    operator_id: int | None
    photo_media_id: UUID | None
