"""Savepoints by the driver alone: every step of a conversation has one; through the ORM it is its dearest statement."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.prepared import command


@asynccontextmanager
async def savepoint(session: AsyncSession) -> AsyncIterator[None]:
    """What the block wrote is undone when an error leaves it; what was done before stays.

    The session forgets its ORM objects then, so none may be held across the block.
    """
    await command(session, "SAVEPOINT siyu_step")
    try:
        yield
        await session.flush()
    except Exception:
        session.expunge_all()
        await command(session, "ROLLBACK TO SAVEPOINT siyu_step; RELEASE SAVEPOINT siyu_step")
        raise
    await command(session, "RELEASE SAVEPOINT siyu_step")
