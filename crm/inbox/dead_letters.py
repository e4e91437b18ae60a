"""Updates that could not be handled in five tries, or not be used at all."""

from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.inbox import service
from crm.inbox.models import DeadLetterRow
from crm.jobs.dead import DeadLetter, DeadLetterNotFound


class DeadUpdates:
    """Implements `crm.jobs.dead.DeadLetterBox`; the key is the update's id."""

    name = "updates"

    async def count(self, session: AsyncSession) -> int:
        """How many updates were given up."""
        query = select(func.count()).select_from(DeadLetterRow).where(DeadLetterRow.replayed_at.is_(None))
        return (await session.execute(query)).scalar_one()

    async def listing(self, session: AsyncSession, *, limit: int) -> list[DeadLetter]:
        """Dead updates, newest first."""
        return [
            DeadLetter(str(row.update_id), f"bot {row.bot_id}", row.reason, row.attempts, row.received_at, row.died_at)
            for row in await service.dead_letters(session, limit=limit)
        ]

    async def replay(self, session: AsyncSession, key: str) -> None:
        """Queue it again, at the end of its chat; a sweeper handles it. Raises DeadLetterNotFound."""
        await service.replay(session, _id(key))

    async def discard(self, session: AsyncSession, key: str) -> None:
        """Keep the update, and never handle it. Raises DeadLetterNotFound."""
        await service.discard(session, _id(key))

    async def reveal(self, session: AsyncSession, key: str) -> str:
        """The raw update, opened. Raises DeadLetterNotFound."""
        return (await service.payload(session, _id(key))).decode(errors="replace")


updates = DeadUpdates()


def _id(key: str) -> UUID:
    try:
        return UUID(key)
    except ValueError as error:
        raise DeadLetterNotFound from error
