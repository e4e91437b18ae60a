"""Timed work of journeys."""

from crm.db.session import Sessions
from crm.jobs.types import tick
from crm.journeys import enrolling
from crm.journeys.advancing import advance_due


@tick("journeys.advance", seconds=1)
async def advance(sessions: Sessions) -> int:
    """Move those whose time has come."""
    async with sessions.begin() as session:
        return await advance_due(session)


@tick("journeys.enroll_absent", seconds=60)
async def enroll(sessions: Sessions) -> int:
    """Enter those who have been away."""
    async with sessions.begin() as session:
        return await enrolling.enroll_absent(session)


@tick("journeys.enroll_yearly", seconds=60)
async def enroll_yearly(sessions: Sessions) -> int:
    """Enter those whose birthday or sign-up comes round."""
    async with sessions.begin() as session:
        return await enrolling.enroll_yearly(session)
