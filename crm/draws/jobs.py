"""Timed work of draws."""

from crm.db.session import Sessions
from crm.draws.service import definitions
from crm.jobs.types import tick


@tick("draws.close", seconds=30)
async def close(sessions: Sessions) -> int:
    """Close draws whose time is over, which reveals their seeds."""
    async with sessions.begin() as session:
        return await definitions.close_due(session)
