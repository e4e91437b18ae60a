"""Jobs that failed five times, held by the queue that runtime bound."""

from sqlalchemy.ext.asyncio import AsyncSession

from crm.jobs.dead import DeadLetter
from crm.jobs.service import queue_of


class HeldJobs:
    """Implements `crm.jobs.dead.DeadLetterBox` over the queue's port."""

    name = "jobs"

    async def count(self, session: AsyncSession) -> int:
        """How many jobs are held."""
        return await queue_of(session).count_held(session)

    async def listing(self, session: AsyncSession, *, limit: int) -> list[DeadLetter]:
        """Held jobs, newest first."""
        return await queue_of(session).held(session, limit=limit)

    async def replay(self, session: AsyncSession, key: str) -> None:
        """Queue it again. Raises DeadLetterNotFound."""
        await queue_of(session).replay_held(session, key)

    async def discard(self, session: AsyncSession, key: str) -> None:
        """Remove it. Raises DeadLetterNotFound."""
        await queue_of(session).discard_held(session, key)

    async def reveal(self, session: AsyncSession, key: str) -> str:
        """Its arguments as JSON. Raises DeadLetterNotFound."""
        return await queue_of(session).arguments_of_held(session, key)


jobs = HeldJobs()
