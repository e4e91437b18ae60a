"""Housekeeping of the database itself."""

from crm.db import clock, partitions
from crm.db.session import Sessions
from crm.jobs.types import tick


@tick("partitions.keep_ahead", seconds=3600)
async def keep_partitions_ahead(sessions: Sessions) -> int:
    """Make the partitions of the next three months; a default partition catches what comes earlier."""
    async with sessions.begin() as session:
        await partitions.keep_ahead(session, (await clock.now(session)).date())
    return 0
