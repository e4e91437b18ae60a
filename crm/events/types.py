"""What an event is; the catalogue's modules beside this one define each kind."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from crm.kit.parts import make_part
from crm.kit.shapes import names_of


@dataclass(frozen=True, kw_only=True)
class Event:
    """A recorded fact: ids and plain values only, never personal data. Subclasses are named in the past tense."""

    kind: ClassVar[str]
    """Stable name in the log, snake case, e.g. `points_earned`."""
    title: ClassVar[str]
    """English label for timelines and triggers; translated at the edge."""

    member_id: int | None

    def data(self) -> dict[str, Any]:
        """The event's own fields as JSON values."""
        kind: Any = type(self)  # a type can be hashed, which mypy does not know of `type[Self]`
        return {name: _plain(getattr(self, name)) for name in names_of(kind) if name != "member_id"}


E = TypeVar("E", bound=Event)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal | UUID):
        return str(value)
    return value


@dataclass(frozen=True)
class RecordedEvent:
    """An event as it stands in the log."""

    id: UUID
    occurred_at: datetime
    kind: str
    member_id: int | None
    source: str
    data: dict[str, Any]

    def as_event(self, kind: type[E]) -> E:
        """Decoded into the dataclass of the catalogue."""
        event: E = _adapter(kind).validate_python({**self.data, "member_id": self.member_id})
        return event


_ADAPTERS: dict[type[Event], Any] = {}
"""Kept, because building one costs a hundred times what using it does."""


def _adapter(kind: type[Event]) -> Any:
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = make_part("pydantic:TypeAdapter", kind)
    return _ADAPTERS[kind]
