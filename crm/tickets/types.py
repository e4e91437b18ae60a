"""Public values of tickets."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class TicketStatus(StrEnum):
    """Whether a person still has to look after it."""

    OPEN = "open"
    CLOSED = "closed"


class Noted(StrEnum):
    """Whether a member's message belongs to an open ticket."""

    NOT = "not"
    FIRST = "first"
    """The first in a while: worth a word that it was passed on."""
    AGAIN = "again"


@dataclass(frozen=True)
class Ticket:
    """A member's wish to speak with a person."""

    id: int
    member_id: int
    identity_id: int | None
    status: TicketStatus
    note: str
    created_at: datetime
    last_message_at: datetime
    answered_at: datetime | None
    closed_at: datetime | None
    closed_by: str | None
    comes_first: bool
    """The member's tier gives priority service now."""


@dataclass(frozen=True)
class Answered:
    """An operator's answer: the ticket as it stands now, and what is to be delivered after the commit."""

    ticket: Ticket
    delivery_ids: Sequence[UUID]
