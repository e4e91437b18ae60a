"""Binds `crm.jobs` to pgqueuer: jobs are rows in the same PostgreSQL, in a schema of their own."""

import asyncio
import contextlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import orjson
import structlog
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver, AsyncpgPoolDriver
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.models import Job as QueuedJob
from pgqueuer.domain.settings import DBSettings
from pgqueuer.errors import RetryRequested
from pgqueuer.ports.driver import Driver
from pgqueuer.queries import Queries
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.db.session import Sessions
from crm.jobs.types import Job
from crm.kit.discovery import instances, modules_named

SCHEMA = "pgqueuer"
HEARTBEAT = timedelta(seconds=5)
MAX_ATTEMPTS = 5
_BACKOFF = (timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10))
log = structlog.get_logger(__name__)


def _queries(driver: Driver) -> Queries:
    settings = DBSettings(db_schema=SCHEMA)
    return Queries(
        driver,
        QueryBuilderEnvironment(settings),
        QueryQueueBuilder(settings),
        QuerySchedulerBuilder(settings),
    )


async def install_queue(connection: asyncpg.Connection) -> None:
    """Make or upgrade the queue's own schema; part of `siyu migrate`."""
    queries = _queries(AsyncpgDriver(connection))
    if await queries.schema_is_installed():
        await queries.upgrade()
    else:
        await queries.install()


class PgqueuerJobQueue:
    """Implements `crm.jobs.service.JobQueue`."""

    async def enqueue(
        self, session: AsyncSession, job: str, arguments: Mapping[str, Any], due: datetime | None, key: str | None
    ) -> None:
        """Insert through the session's own connection: a rollback takes the job back."""
        connection = await (await session.connection()).get_raw_connection()
        driver = connection.driver_connection
        assert driver is not None
        delay = max(timedelta(), due - await clock.now(session)) if due else None
        await _queries(AsyncpgDriver(driver)).enqueue(
            job, orjson.dumps(arguments), execute_after=delay, dedupe_key=key, on_conflict="skip"
        )


def discover_jobs() -> dict[str, Job]:
    """Every `Job` of `crm/<capability>/jobs.py`, by name."""
    return {item.name: item for module in modules_named("crm", "jobs") for item in instances(module, Job)}


async def run_jobs(pool: asyncpg.Pool, sessions: Sessions, jobs: Mapping[str, Job], stop: asyncio.Event) -> None:
    """Work on queued jobs until `stop`; what a dead worker held is taken over after its heartbeat ends."""
    manager = QueueManager(_queries(AsyncpgPoolDriver(pool)))
    for item in jobs.values():
        manager.entrypoint(item.name, on_failure="hold", accepts_context=False)(_entrypoint(item, sessions))
    stopper = asyncio.create_task(_shut_down(manager, stop))
    try:
        await manager.run(dequeue_timeout=timedelta(seconds=2), heartbeat_timeout=HEARTBEAT)
    finally:
        stopper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await stopper


async def _shut_down(manager: QueueManager, stop: asyncio.Event) -> None:
    await stop.wait()
    manager.shutdown.set()


def _entrypoint(item: Job, sessions: Sessions) -> Any:
    async def run(queued: QueuedJob) -> None:
        try:
            await item.run(sessions, orjson.loads(queued.payload or b"{}"))
        except Exception as error:
            log.warning("job_failed", job=item.name, attempt=queued.attempts, error=type(error).__name__)
            if queued.attempts + 1 >= MAX_ATTEMPTS:
                raise
            delay = _BACKOFF[min(queued.attempts, len(_BACKOFF) - 1)]
            raise RetryRequested(delay=delay, reason=type(error).__name__) from error

    return run
