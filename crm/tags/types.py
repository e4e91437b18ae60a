"""Public values of tags."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Tag:
    """A label for members, inside a group (empty for none)."""

    id: int
    group: str
    name: str
    is_archived: bool
    members_count: int = 0

    @property
    def label(self) -> str:
        """`group:name`, or the name alone."""
        return f"{self.group}:{self.name}" if self.group else self.name


@dataclass(frozen=True)
class MemberTag:
    """A tag on a member: which, whence, since when and until when."""

    tag: str
    """`group:name`, or the name alone."""
    group: str
    name: str
    source: str
    source_ref: str | None
    added_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True)
class TagRule:
    """When an event of this kind and data is recorded, its member gets the tag."""

    id: int
    name: str
    event_kind: str
    tag: str
    where: dict[str, Any] = field(default_factory=dict)
    """By field of the event's data: a value it equals, or `{"at_least": n}`, `{"at_most": n}`, `{"contains": text}`."""
    is_active: bool = True
