"""Timed work of deliveries; sending itself is done by the senders."""

from crm.db.session import Sessions
from crm.deliveries import doubts, sources
from crm.jobs.types import tick


@tick("deliveries.free_expired", seconds=5)
async def free_expired(sessions: Sessions) -> int:
    """Show what senders that vanished left in doubt."""
    async with sessions.begin() as session:
        return await doubts.free_expired(session)


@tick("deliveries.resume", seconds=2)
async def resume_paused(sessions: Sessions) -> int:
    """Go on with sources whose enforced pause is over."""
    async with sessions.begin() as session:
        return await sources.resume_due(session)


@tick("deliveries.finish", seconds=5)
async def finish_done(sessions: Sessions) -> int:
    """Announce what came to its end without being announced, for instance because its sender was killed just then."""
    async with sessions.begin() as session:
        return await sources.finish_due(session)
