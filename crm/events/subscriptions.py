"""Who reacts to what. Capabilities declare subscribers in their `subscribers.py`; runtime gathers them once."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.session import surroundings
from crm.events.types import Event, RecordedEvent
from crm.kit.discovery import instances, modules_named

Handler = Callable[[AsyncSession, RecordedEvent], Awaitable[None]]
PORT = "subscriptions"


@dataclass(frozen=True)
class Subscriber:
    """A reaction to some kinds of events; idempotent by the event's id; runs in a transaction of its own."""

    name: str
    kinds: frozenset[str]
    handle: Handler
    is_choosy: bool = False
    """Whether it is handed only what `crm.events.wishes` holds for it."""


def subscriber(name: str, *kinds: type[Event], choosy: bool = False) -> Callable[[Handler], Subscriber]:
    """Declare a subscriber: `@subscriber("points.award", CheckedIn, OrderPlaced)`; no kinds means every kind.

    A `choosy` one is handed only those kinds that it wished for, see `crm.events.wishes`.
    """

    def wrap(handle: Handler) -> Subscriber:
        return Subscriber(name, frozenset(kind.kind for kind in kinds), handle, choosy)

    return wrap


class Subscriptions:
    """All subscribers, by name and by kind of event."""

    def __init__(self, subscribers: Iterable[Subscriber]) -> None:
        self._by_name = {item.name: item for item in subscribers}

    def named(self, name: str) -> Subscriber | None:
        """The subscriber of that name, None when it is no longer shipped."""
        return self._by_name.get(name)

    def is_choosy(self, name: str) -> bool:
        """Whether the subscriber of that name is handed only what it wished for."""
        return self._by_name[name].is_choosy

    def outline(self) -> list[tuple[str, list[str], bool]]:
        """Name, kinds and whether it is choosy, of each: enough to record events."""
        return [(item.name, sorted(item.kinds), item.is_choosy) for item in self._by_name.values()]

    def names_for(self, kind: str) -> list[str]:
        """Names of those who want events of `kind`."""
        return [item.name for item in self._by_name.values() if not item.kinds or kind in item.kinds]


def discover() -> Subscriptions:
    """Every subscriber of `crm/<capability>/subscribers.py`."""
    return Subscriptions(
        item for module in modules_named("crm", "subscribers") for item in instances(module, Subscriber)
    )


async def _elsewhere(session: AsyncSession, event: RecordedEvent) -> None:
    """Events are handed on by workers alone."""
    del session
    raise NotImplementedError(f"{event.kind} is handled in another process")


def outlined(outline: Iterable[tuple[str, list[str], bool]]) -> Subscriptions:
    """Subscriptions for a process that records events and handles none, made of what `outline` says."""
    return Subscriptions(
        Subscriber(name, frozenset(kinds), _elsewhere, is_choosy=is_choosy) for name, kinds, is_choosy in outline
    )


def of(session: AsyncSession) -> Subscriptions:
    """The subscriptions that runtime handed to this session."""
    found: Any = surroundings(session).ports[PORT]
    assert isinstance(found, Subscriptions)
    return found
