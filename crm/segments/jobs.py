"""Timed work of segments."""

from crm.db.session import Sessions
from crm.jobs.types import tick
from crm.segments import promotions


@tick("segments.promotions", seconds=300)
async def refresh_promotions(sessions: Sessions) -> int:
    """Write down who is in the segments that earning rules and activities ask for; differences only."""
    async with sessions.begin() as session:
        await promotions.refresh(session)
    return 0
