"""Public values of the web chat's memory."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from crm.messages.types import Buttons


@dataclass(frozen=True)
class Visitor:
    """One browser that talks with one bot; the address is random and known to that browser alone."""

    bot_id: int
    address: str


class ChatDirection(StrEnum):
    """Who said it."""

    IN = "in"
    OUT = "out"


@dataclass(frozen=True)
class ChatMessage:
    """A message as the page shows it."""

    id: UUID
    at: datetime
    visitor: Visitor
    direction: ChatDirection
    text: str
    """Limited HTML when it goes out, plain text when it came in."""
    buttons: Buttons = ()
    photo_media_id: UUID | None = None
    menu: tuple[str, ...] | None = None
    """Labels of the persistent menu from this message on; None leaves it as it was."""
    revision: int = 0
    """How often it was edited."""


@dataclass(frozen=True)
class ChatHistory:
    """A stretch of a conversation, oldest first; `has_more` if there is something before it."""

    messages: list[ChatMessage]
    has_more: bool
