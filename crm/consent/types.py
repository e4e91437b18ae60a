"""Public values of consent."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Topic:
    """What a member may agree to be told about."""

    key: str
    name: dict[str, str]
    """By locale."""
    is_default: bool
    """Asked for at sign-up."""
    is_archived: bool = False


@dataclass(frozen=True)
class ConsentStatus:
    """What a member last decided on one topic and channel."""

    channel: str
    topic: str
    is_given: bool
    text_version: str
    source: str
    at: datetime
