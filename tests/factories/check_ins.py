"""Check-ins for tests: days in a row, and settings that allow things."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm.check_ins import programmes, service
from crm.check_ins.types import CheckInResult, Programme
from tests.conftest import At


async def allow(session: AsyncSession, **chosen: Any) -> Programme:
    """Make-ups of the last 7 days and a leaderboard, unless said otherwise."""
    return await programmes.choose(session, Programme(**{"days_back": 7, "has_leaderboard": True, **chosen}))


async def on_days(session: AsyncSession, at: At, member_id: int, *days: int, hour: str = "09:00") -> CheckInResult:
    """Check in on these days of March 2026, by the time of Shanghai; answers the last one's result."""
    found = None
    for day in days:
        await at(session, f"2026-03-{day:02}T{hour}+08:00")
        found = await service.check_in(session, member_id)
    assert found is not None
    return found
