"""Taking back what was earned for something: in proportion to what of it was returned, whole only once."""

from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brand
from crm.brand.types import Shortfall
from crm.db import clock
from crm.points import expiry, pending, policy, posting, repository
from crm.points.repository import Line
from crm.points.types import Account, EntryKind, Posting

_EARNED = text("""
    SELECT t.id, k.amount, t.rule_id, (
        SELECT coalesce(-sum(taken.amount), 0)::bigint FROM ledger_transactions c
        JOIN ledger_keys taken ON taken.key = c.key WHERE c.reverses_id = t.id
    ) AS taken
    FROM ledger_transactions t JOIN ledger_keys k ON k.key = t.key
    WHERE t.event_id = :event_id AND t.occurred_at = :at AND t.kind IN ('earn', 'pending')
      AND t.id BETWEEN :first AND :last
    ORDER BY t.id
""")


def still_earned(points: int, paid: Decimal, returned: Decimal) -> int:
    """What of `points` remains for the money that was kept, rounded down; nothing when all was returned."""
    kept = max(paid - returned, Decimal(0))
    return 0 if not kept else int((points * kept / paid).to_integral_value(ROUND_FLOOR))


async def take_back(
    session: AsyncSession,
    member_id: int,
    event_id: UUID,
    occurred_at: datetime,
    *,
    paid: Decimal,
    returned: Decimal,
    reason: str,
    key: str,
) -> list[Posting]:
    """Take back what the event earned beyond the share that was kept; `returned` is all that was returned so far.

    Pending points go first. What was spent becomes a debt, or is written off, as the brand has chosen. What was taken
    back or reversed before counts, so that a repetition takes nothing more.
    """
    owner = await repository.lock(session, member_id)
    await expiry.expire(session, expiry.OF_ONE_MEMBER, owner)
    first, last = _ids_at(occurred_at)
    values = {"event_id": event_id, "at": occurred_at, "first": first, "last": last}
    postings = []
    for row in (await session.execute(_EARNED, values)).all():
        due = row.amount - row.taken - still_earned(row.amount, paid, returned)
        if due > 0:
            named = f"take_back:{row.id}:{policy.check_key(key)}"
            postings.append(await _take(session, owner, row.id, due, reason=reason, key=named))
    return postings


async def _take(session: AsyncSession, owner: int, earning_id: UUID, points: int, *, reason: str, key: str) -> Posting:
    row = await pending.find_open(session, earning_id, owner)
    if row is not None:
        kind = EntryKind.CLAW_BACK
        return await pending.take(session, row, min(points, row.points), kind, key, reason=reason, by="system")
    line = Line(
        member_id=owner,
        kind=EntryKind.CLAW_BACK,
        key=key,
        points=-points,
        contra=Account.ISSUANCE,
        reason=policy.check_reason(reason),
        occurred_at=await clock.now(session),
        reverses_id=earning_id,
        may_owe=True,
        write_off=await writes_off(session),
    )
    made = await posting.post(session, line)
    if made.is_new:
        await posting.announce_adjustment(session, made, line.reason)
    return made


async def writes_off(session: AsyncSession) -> bool:
    """Whether the programme bears what members spent of points that are taken back, instead of a debt."""
    return (await brand.get(session)).points_shortfall is Shortfall.WRITE_OFF


def _ids_at(at: datetime) -> tuple[UUID, UUID]:
    """The bounds of the ids of that millisecond, which narrow the search to a few rows."""
    before, after = at - timedelta(milliseconds=1), at + timedelta(milliseconds=2)
    return UUID(int=int(before.timestamp() * 1000) << 80), UUID(int=(int(after.timestamp() * 1000) << 80) - 1)
