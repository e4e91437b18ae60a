"""Timed work of coupons."""

from crm.coupons.service import holding
from crm.db.session import Sessions
from crm.jobs.types import tick


@tick("coupons.expire", seconds=60)
async def expire(sessions: Sessions) -> int:
    """Mark vouchers that have run out."""
    async with sessions.begin() as session:
        return await holding.expire_due(session)
