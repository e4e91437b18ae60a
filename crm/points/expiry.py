"""Expiry: lots that have run out leave the ledger in sets, a transaction of its own for each."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.prepared import Prepared
from crm.events import service as events
from crm.events.catalogue import PointsExpired
from crm.events.found import Found

AT_ONCE = 5000
"""Lots of one statement."""
OF_ONE_MEMBER = 1000
_QUERY = "SELECT member_id, points, transaction_id, balance FROM siyu_expire_lots(:most, CAST(:member_id AS bigint))"
_EXPIRE = Prepared(text(_QUERY))
_EXPIRED = Found(PointsExpired, _QUERY)


async def expire(session: AsyncSession, most: int = AT_ONCE, member_id: int | None = None) -> int:
    """Post the expiry of at most `most` lots that have run out, of one member or of all; answers how many.

    Members whose account is locked by others are left for the next time.
    """
    if member_id is None:
        return await _EXPIRED.record(session, most=most, member_id=None)
    # before each spending, when mostly nothing has run out: to be ready to record costs more than to ask
    facts = [
        PointsExpired(member_id=owner, points=points, transaction_id=transaction_id, balance=balance)
        for owner, points, transaction_id, balance in await _EXPIRE.fetch(session, most=most, member_id=member_id)
    ]
    await events.publish_many(session, facts)
    return len(facts)
