"""`enqueue`: the one way in which crm hands over work for later, in the caller's transaction."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.session import surroundings

PORT = "job_queue"


class JobQueue(Protocol):
    """What runtime binds to the real queue."""

    async def enqueue(
        self, session: AsyncSession, job: str, arguments: Mapping[str, Any], due: datetime | None, key: str | None
    ) -> None:
        """Insert the job through the session's own connection, so that a rollback takes it back."""
        ...


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
    queue: JobQueue = surroundings(session).ports[PORT]
    await queue.enqueue(session, job, arguments, due, key)
