"""Public values of sources."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class SourceKind(StrEnum):
    """How members come through a source."""

    LINK = "link"
    QR = "qr"
    EMBED = "embed"


@dataclass(frozen=True)
class Source:
    """A link, QR code or embed whose opaque code says where a member came from."""

    id: int
    code: str
    """At least 64 random bits, letters, digits, `-` and `_`: what follows `/start`."""
    name: str
    kind: SourceKind
    tags: list[str]
    """Put on whoever comes through."""
    welcome: dict[str, str]
    """Said first, by locale; may be empty."""
    is_archived: bool
    created_at: datetime


@dataclass(frozen=True)
class SourceLink:
    """The address that opens one bot with a source's code."""

    bot_id: int
    channel: str
    url: str


@dataclass(frozen=True)
class SourceCounts:
    """How many members came through: first, last, and how often altogether."""

    first_touches: int
    last_touches: int
    touches: int


@dataclass(frozen=True)
class SourceFunnel:
    """What became of those whose first contact came through a source."""

    came: int = 0
    signed_up: int = 0
    ordered: int = 0
