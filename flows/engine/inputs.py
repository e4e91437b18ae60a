"""What a conversation can be given: something a person sent, a timer that is due, or a job's result."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class InputKind(StrEnum):
    """Where an input comes from."""

    TEXT = "text"
    BUTTON = "button"
    CONTACT = "contact"
    LOCATION = "location"
    PHOTO = "photo"
    STICKER = "sticker"
    OTHER = "other"
    START = "start"
    TIMEOUT = "timeout"
    REMINDER = "reminder"
    RESULT = "result"


@dataclass(frozen=True)
class Input:
    """One input. `text` is cleaned; `data` is what a button carried; `value` is a job's result."""

    kind: InputKind
    text: str = ""
    data: str | None = None
    payload: str | None = None
    phone: str | None = None
    is_own_phone: bool = False
    latitude: float | None = None
    longitude: float | None = None
    photo: str | None = None
    message_ref: str | None = None
    value: Any = None
    said_in: str | None = None
    """Where a person said it, e.g. `update:` and its id."""
