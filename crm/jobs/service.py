"""`enqueue`: the one way in which crm hands over work for later, in the caller's transaction."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.session import surroundings
from crm.jobs.dead import DeadLetter

PORT = "job_queue"


class JobQueue(Protocol):
    """What runtime binds to the real queue."""

    async def enqueue(
        self, session: AsyncSession, job: str, arguments: Mapping[str, Any], due: datetime | None, key: str | None
    ) -> None:
        """Insert the job through the session's own connection, so that a rollback takes it back."""
        ...

    async def count_held(self, session: AsyncSession) -> int:
        """How many jobs are held after their last try."""
        ...

    async def held(self, session: AsyncSession, *, limit: int) -> list[DeadLetter]:
        """Held jobs, newest first."""
        ...

    async def replay_held(self, session: AsyncSession, key: str) -> None:
        """Queue a held job again. Raises DeadLetterNotFound."""
        ...

    async def discard_held(self, session: AsyncSession, key: str) -> None:
        """Remove a held job. Raises DeadLetterNotFound."""
        ...

    async def arguments_of_held(self, session: AsyncSession, key: str) -> str:
        """The arguments of a held job as JSON. Raises DeadLetterNotFound."""
        ...

    async def oldest_seconds(self, session: AsyncSession) -> float:
        """Seconds that the job due longest has waited; 0 when none is due."""
        ...


def queue_of(session: AsyncSession) -> JobQueue:
    """The queue that runtime handed to this session."""
    found: JobQueue = surroundings(session).ports[PORT]
    return found


async def enqueue(
    session: AsyncSession,
    job: str,
    arguments: Mapping[str, Any],
    *,
    due: datetime | None = None,
    key: str | None = None,
) -> None:
    """Have the job named `job` (a `Job` of some `crm/<capability>/jobs.py`) run with `arguments` after the commit.

    `due` delays it; a waiting job with the same `key` makes this call a no-op.
    """
    await queue_of(session).enqueue(session, job, arguments, due, key)
