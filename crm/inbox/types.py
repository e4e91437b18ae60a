"""Public values of the inbox."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class NewUpdate:
    """An update as a receiver hands it in; `update_key` is the provider's own id of it."""

    bot_id: int
    update_key: str
    chat_key: str
    payload: bytes


@dataclass(frozen=True)
class StoredUpdate:
    """An update that was stored and waits."""

    id: UUID
    received_at: datetime
    bot_id: int
    chat_key: str


@dataclass(frozen=True)
class TakenUpdate:
    """The first update of a chat, taken for handling under the chat's lock."""

    position: int
    id: UUID
    received_at: datetime
    bot_id: int
    chat_key: str
    payload: bytes
    attempts: int
    retry_after: float
    """Seconds until it may be tried again; 0 when it is due."""


@dataclass(frozen=True)
class Finished:
    """What finishing an update found: whether it still waited, and whether more wait in its chat."""

    has_waited: bool
    has_more: bool


@dataclass(frozen=True)
class WaitingChat:
    """A chat with an update that should have been handled by now."""

    bot_id: int
    chat_key: str


@dataclass(frozen=True)
class DeadLetter:
    """An update that was given up."""

    update_id: UUID
    received_at: datetime
    bot_id: int
    chat_key: str
    attempts: int
    reason: str
    died_at: datetime
    replayed_at: datetime | None
