"""Timed work of points: expiry and checkpoints."""

from crm.db.session import Sessions
from crm.jobs.types import tick
from crm.points import service


@tick("points.expire", seconds=60)
async def expire(sessions: Sessions) -> int:
    """Post the expiry of lots that have run out."""
    async with sessions.begin() as session:
        return await service.expire_due(session)


@tick("points.checkpoint", seconds=3600)
async def checkpoint(sessions: Sessions) -> int:
    """Seal the chains that moved."""
    async with sessions.begin() as session:
        sealed = await service.checkpoint(session)
    return 0 if sealed is None else sealed.accounts
