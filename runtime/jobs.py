"""Runs queued jobs: any number of workers, each with heartbeats, an end within seconds, and five tries per job."""

import asyncio
import contextlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import asyncpg
import orjson
import structlog
from pgqueuer.adapters.drivers.asyncpg import AsyncpgPoolDriver
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.models import Job as QueuedJob
from pgqueuer.errors import RetryRequested

from crm.db.session import Sessions
from crm.jobs.types import Job
from crm.kit.discovery import instances, modules_named
from crm.kit.failures import where
from runtime.queue import queries_of

HEARTBEAT = timedelta(seconds=5)
MAX_ATTEMPTS = 5
PATIENCE_SECONDS = 12.0
"""How long a job may go on after its worker was told to stop."""
BACKOFF = (timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10))
_LOOK = timedelta(seconds=2)
log = structlog.get_logger(__name__)


class JobFailed(Exception):
    """A job failed; the text is kind and place of the error, because the queue keeps it in a table as it is."""


def discover_jobs() -> dict[str, Job]:
    """Every `Job` of `crm/<capability>/jobs.py`, by name."""
    return {item.name: item for module in modules_named("crm", "jobs") for item in instances(module, Job)}


async def run_jobs(
    pool: asyncpg.Pool,
    sessions: Sessions,
    jobs: Mapping[str, Job],
    stop: asyncio.Event,
    *,
    patience: float = PATIENCE_SECONDS,
    backoff: tuple[timedelta, ...] = BACKOFF,
) -> None:
    """Work on queued jobs until `stop`; what a dead worker held is taken over after its heartbeat ends.

    A job that is not done `patience` seconds after `stop` is interrupted and given back to the others.
    """
    manager = QueueManager(queries_of(AsyncpgPoolDriver(pool)))
    give_back = asyncio.Event()
    for item in jobs.values():
        run = _Entrypoint(item, sessions, give_back, backoff)
        manager.entrypoint(item.name, on_failure="hold", accepts_context=False)(run.run)
    stopper = asyncio.create_task(_shut_down(manager, stop, give_back, patience))
    try:
        await manager.run(dequeue_timeout=_LOOK, heartbeat_timeout=HEARTBEAT)
    finally:
        stopper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await stopper


async def _shut_down(manager: QueueManager, stop: asyncio.Event, give_back: asyncio.Event, patience: float) -> None:
    await stop.wait()
    manager.shutdown.set()
    await asyncio.sleep(patience)
    give_back.set()


class _Entrypoint:
    """One kind of job as the queue calls it."""

    def __init__(self, item: Job, sessions: Sessions, give_back: asyncio.Event, backoff: tuple[timedelta, ...]) -> None:
        self._item = item
        self._sessions = sessions
        self._give_back = give_back
        self._backoff = backoff

    async def run(self, queued: QueuedJob) -> None:
        """Do it, or say when it is tried again. Raises JobFailed after the last try."""
        with structlog.contextvars.bound_contextvars(job=self._item.name, job_id=queued.id):
            try:
                await self._unless_given_back(self._item.run(self._sessions, orjson.loads(queued.payload or b"{}")))
            except asyncio.CancelledError:
                # A cancelled job would count as done; the next worker is to have it at once.
                log.warning("job_given_back")
                raise RetryRequested(delay=timedelta(), reason="the worker stopped") from None
            except Exception as error:  # noqa: BLE001 - a job may fail in any way; the others must go on
                reason = where(error)
                log.warning("job_failed", attempt=queued.attempts + 1, error=reason)
                if queued.attempts + 1 >= MAX_ATTEMPTS:
                    raise JobFailed(reason) from None
                delay = self._backoff[min(queued.attempts, len(self._backoff) - 1)]
                raise RetryRequested(delay=delay, reason=reason) from None

    async def _unless_given_back(self, work: Any) -> None:
        """Await `work`; raise CancelledError when the worker's patience ends before it does."""
        task = asyncio.ensure_future(work)
        ending = asyncio.create_task(self._give_back.wait())
        try:
            await asyncio.wait({task, ending}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ending.cancel()
            if not task.done():
                task.cancel()
                await asyncio.wait({task})
        await task
