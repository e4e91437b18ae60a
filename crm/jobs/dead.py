"""Dead letters: what was tried and given up, and waits for an operator to replay or discard it.

A capability that gives up declares a `DeadLetterBox` in its `dead_letters.py`; page, API, command, alert and metrics
read all of them.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Protocol, runtime_checkable

from sqlalchemy.ext.asyncio import AsyncSession

from crm.kit.discovery import instances, modules_named
from crm.kit.errors import NotFoundError

MOST_AT_ONCE = 1000
"""How many are replayed by one request for all."""


class DeadLetterNotFound(NotFoundError):
    """There is no such dead letter that still waits."""


class UnknownBox(NotFoundError):
    """There are no dead letters of this kind."""


@dataclass(frozen=True)
class DeadLetter:
    """One thing that was given up."""

    key: str
    """Names it within its box; safe in an address."""
    title: str
    """What it is: a subscriber, a job, a bot; no personal data."""
    reason: str
    """Why, as kind and place of the error."""
    tries: int
    since: datetime
    """When it came into being."""
    died_at: datetime


@runtime_checkable
class DeadLetterBox(Protocol):
    """The dead letters of one kind. Nothing commits; what is replayed has its effect once, as at the first time."""

    name: str

    async def count(self, session: AsyncSession) -> int:
        """How many wait."""
        ...

    async def listing(self, session: AsyncSession, *, limit: int) -> list[DeadLetter]:
        """Those that wait, newest first."""
        ...

    async def replay(self, session: AsyncSession, key: str) -> None:
        """Have it tried again from the first try on, after the commit. Raises DeadLetterNotFound."""
        ...

    async def discard(self, session: AsyncSession, key: str) -> None:
        """Never try it again. Raises DeadLetterNotFound."""
        ...

    async def reveal(self, session: AsyncSession, key: str) -> str:
        """What it carries, which may be personal data. Raises DeadLetterNotFound."""
        ...


@cache
def boxes() -> dict[str, DeadLetterBox]:
    """Every box, by its name."""
    found = (
        item
        for module in modules_named("crm", "dead_letters")
        for item in instances(module, DeadLetterBox)  # type: ignore[type-abstract]  # a runtime protocol
    )
    return {item.name: item for item in found}


def box(name: str) -> DeadLetterBox:
    """The box of that name. Raises UnknownBox."""
    found = boxes().get(name)
    if found is None:
        raise UnknownBox(f"There are no dead letters called {name[:40]!r}; there are {', '.join(boxes())}.")
    return found


async def replay_all(session: AsyncSession, chosen: DeadLetterBox) -> int:
    """Replay what waits in a box, at most a thousand; answers how many."""
    waiting = await chosen.listing(session, limit=MOST_AT_ONCE)
    for letter in reversed(waiting):
        await chosen.replay(session, letter.key)
    return len(waiting)
