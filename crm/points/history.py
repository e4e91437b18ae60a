"""What an account showed at a moment of the past, derived from its entries."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.points.errors import MomentAhead
from crm.points.types import BalanceAt

_SUMS = text("""
    SELECT coalesce(sum(e.amount) FILTER (WHERE e.account = 'member'), 0)::bigint AS balance,
           coalesce(-sum(e.amount) FILTER (WHERE e.account = 'debt'), 0)::bigint AS debt,
           coalesce(sum(e.amount) FILTER (WHERE e.account = 'pending'), 0)::bigint AS pending,
           coalesce(sum(e.amount) FILTER (WHERE e.account = 'held'), 0)::bigint AS held
    FROM (
        SELECT transaction_id, occurred_at, account, amount FROM ledger_entries
        WHERE account = 'member' AND member_id = :member_id
        UNION ALL
        SELECT transaction_id, occurred_at, account, amount FROM ledger_entries
        WHERE account IN ('debt', 'pending', 'held') AND member_id = :member_id
    ) e JOIN ledger_transactions t ON t.id = e.transaction_id AND t.occurred_at = e.occurred_at
    WHERE CAST(:at AS timestamptz) IS NULL OR t.recorded_at <= :at
""")


async def balance_at(session: AsyncSession, member_id: int, at: datetime | None = None) -> BalanceAt:
    """What the member had at `at`, or has now: all that was recorded by then, whatever was recorded later.

    An expiry counts from when it was posted, at most a minute or so after the time of the lot. Raises MomentAhead.
    """
    now = await clock.now(session)
    if at is not None and (at.tzinfo is None or at > now):
        raise MomentAhead
    row = (await session.execute(_SUMS, {"member_id": member_id, "at": at})).one()
    return BalanceAt(at or now, row.balance, row.debt, row.pending, row.held)
