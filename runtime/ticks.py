"""APScheduler only says "look for what is due"; what is due is claimed in PostgreSQL."""

import asyncio
from collections.abc import Iterable

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from crm.db.session import Sessions
from crm.jobs.types import Tick
from crm.kit.discovery import instances, modules_named
from runtime.loops import tell

log = structlog.get_logger(__name__)
_MOST_ROUNDS = 1000


def discover_ticks() -> list[Tick]:
    """Every `Tick` of `crm/<capability>/jobs.py`."""
    return [item for module in modules_named("crm", "jobs") for item in instances(module, Tick)]


async def run_ticks(sessions: Sessions, ticks: Iterable[Tick], stop: asyncio.Event) -> None:
    """Tick until `stop`. Any number of processes may do so at once."""
    scheduler = AsyncIOScheduler(timezone="UTC")
    for item in ticks:
        scheduler.add_job(
            _round,
            "interval",
            seconds=item.seconds,
            args=(sessions, item, stop),
            id=item.name,
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
        )
    scheduler.start()
    try:
        await stop.wait()
    finally:
        scheduler.shutdown(wait=False)


async def _round(sessions: Sessions, item: Tick, stop: asyncio.Event) -> None:
    """Run the tick again at once while it finds something to do."""
    try:
        for _ in range(_MOST_ROUNDS):
            if stop.is_set() or not await item.run(sessions):
                return
    except Exception as error:  # noqa: BLE001 - told; the next tick tries again
        tell(error, f"tick {item.name}")
