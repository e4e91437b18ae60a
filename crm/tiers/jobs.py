"""Timed work of tiers."""

from crm.db.session import Sessions
from crm.jobs.types import tick
from crm.tiers.service import benefits, runs


@tick("tiers.evaluate", seconds=60)
async def evaluate(sessions: Sessions) -> int:
    """Open the day's evaluation when it is due, and evaluate one range of members."""
    async with sessions.begin() as session:
        await runs.start_daily(session)
        return int(await runs.step(session))


@tick("tiers.benefits", seconds=300)
async def give(sessions: Sessions) -> int:
    """Give the coupons of the month and of birthdays."""
    async with sessions.begin() as session:
        return await benefits.give_due(session)
