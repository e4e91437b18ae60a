"""What a capability declares in its `jobs.py`: queued jobs and ticks."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from crm.db.session import Sessions

JobHandler = Callable[[Sessions, Mapping[str, Any]], Awaitable[None]]
TickHandler = Callable[[Sessions], Awaitable[int]]


@dataclass(frozen=True)
class Job:
    """Queued work; it opens its own transactions and is idempotent, because it may run again after a crash."""

    name: str
    run: JobHandler


@dataclass(frozen=True)
class Tick:
    """Says every `seconds` "look for what is due"; what is due is claimed in PostgreSQL, so doubles are harmless.

    `run` answers how many things it handled; while that is not 0 it is called again at once.
    """

    name: str
    seconds: float
    run: TickHandler


def job(name: str) -> Callable[[JobHandler], Job]:
    """Declare a job: `@job("imports.members")`."""
    return lambda run: Job(name, run)


def tick(name: str, *, seconds: float) -> Callable[[TickHandler], Tick]:
    """Declare a tick: `@tick("points.expire", seconds=60)`."""
    return lambda run: Tick(name, seconds, run)
