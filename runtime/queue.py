"""Binds `crm.jobs` to pgqueuer: jobs are rows in the same PostgreSQL, in a schema of their own."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import orjson
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.domain.settings import DBSettings
from pgqueuer.domain.types import JobId
from pgqueuer.ports.driver import Driver
from pgqueuer.queries import Queries
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.jobs.dead import DeadLetter, DeadLetterNotFound

SCHEMA = "pgqueuer"
_ID_DIGITS = 18
_HELD = text("""
SELECT id, entrypoint, attempts, created, updated, (
    SELECT traceback ->> 'exception_message' FROM pgqueuer.pgqueuer_log AS log
    WHERE log.job_id = queue.id AND log.status = 'failed' ORDER BY log.id DESC LIMIT 1
) AS reason
FROM pgqueuer.pgqueuer AS queue WHERE status = 'failed' ORDER BY updated DESC, id DESC LIMIT :limit
""")
_OLDEST = text("""
SELECT extract(epoch FROM now() - min(execute_after)) FROM pgqueuer.pgqueuer
WHERE status = 'queued' AND execute_after <= now()
""")


def queries_of(driver: Driver) -> Queries:
    """The queue's own statements, in its schema."""
    settings = DBSettings(db_schema=SCHEMA)
    return Queries(
        driver,
        QueryBuilderEnvironment(settings),
        QueryQueueBuilder(settings),
        QuerySchedulerBuilder(settings),
    )


async def install_queue(connection: asyncpg.Connection) -> None:
    """Make or upgrade the queue's own schema; part of `siyu migrate`."""
    queries = queries_of(AsyncpgDriver(connection))
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
        delay = max(timedelta(), due - await clock.now(session)) if due else None
        await queries_of(await _driver(session)).enqueue(
            job, orjson.dumps(arguments), execute_after=delay, dedupe_key=key, on_conflict="skip"
        )

    async def count_held(self, session: AsyncSession) -> int:
        """How many jobs are held after their last try."""
        query = text("SELECT count(*) FROM pgqueuer.pgqueuer WHERE status = 'failed'")
        return int((await session.execute(query)).scalar_one())

    async def held(self, session: AsyncSession, *, limit: int) -> list[DeadLetter]:
        """Held jobs, newest first."""
        rows = await session.execute(_HELD, {"limit": limit})
        return [
            DeadLetter(str(row.id), row.entrypoint, row.reason or "", row.attempts + 1, row.created, row.updated)
            for row in rows
        ]

    async def replay_held(self, session: AsyncSession, key: str) -> None:
        """Queue a held job again. Raises DeadLetterNotFound."""
        job_id = await _locked(session, key)
        await queries_of(await _driver(session)).requeue_jobs([JobId(job_id)])

    async def discard_held(self, session: AsyncSession, key: str) -> None:
        """Remove a held job. Raises DeadLetterNotFound."""
        await session.execute(text("DELETE FROM pgqueuer.pgqueuer WHERE id = :id"), {"id": await _locked(session, key)})

    async def arguments_of_held(self, session: AsyncSession, key: str) -> str:
        """The arguments of a held job as JSON. Raises DeadLetterNotFound."""
        query = text("SELECT payload FROM pgqueuer.pgqueuer WHERE id = :id")
        payload = await session.scalar(query, {"id": await _locked(session, key)})
        return bytes(payload or b"{}").decode(errors="replace")

    async def oldest_seconds(self, session: AsyncSession) -> float:
        """Seconds that the job due longest has waited; 0 when none is due. By real time, as the queue runs on it."""
        return float((await session.execute(_OLDEST)).scalar_one() or 0.0)


async def _driver(session: AsyncSession) -> AsyncpgDriver:
    connection = await (await session.connection()).get_raw_connection()
    driver = connection.driver_connection
    assert driver is not None
    return AsyncpgDriver(driver)


async def _locked(session: AsyncSession, key: str) -> int:
    """The id of a held job, locked so that it is replayed once. Raises DeadLetterNotFound."""
    query = text("SELECT id FROM pgqueuer.pgqueuer WHERE id = :id AND status = 'failed' FOR UPDATE")
    found = await session.scalar(query, {"id": int(key)}) if key.isdecimal() and len(key) <= _ID_DIGITS else None
    if found is None:
        raise DeadLetterNotFound
    return int(found)
