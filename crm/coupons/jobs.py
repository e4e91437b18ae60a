"""Timed work of coupons."""

from crm.coupons.service import holding, reminding
from crm.db.session import Sessions
from crm.jobs.types import tick


@tick("coupons.expire", seconds=60)
async def expire(sessions: Sessions) -> int:
    """Mark vouchers that have run out."""
    async with sessions.begin() as session:
        return await holding.expire_due(session)


@tick("coupons.tell_ahead", seconds=300)
async def tell_ahead(sessions: Sessions) -> int:
    """Announce vouchers that run out in 30, 7 and 1 days."""
    async with sessions.begin() as session:
        return await reminding.tell_ahead(session)
