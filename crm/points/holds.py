"""Holds: points set aside for something that is not settled yet, then spent or given back, once."""

from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.events import service as events
from crm.events.loyalty import PointsHeld, PointsReleased
from crm.points import expiry, policy, posting, repository, set_aside
from crm.points.errors import HoldNotFound, HoldRanOut, HoldResolved, InvalidHold
from crm.points.models import HoldRow
from crm.points.repository import Line
from crm.points.types import Account, EntryKind, Hold, Posting

LONGEST = timedelta(days=366)
AT_ONCE = 500
RAN_OUT = "hold ran out"
_DUE = text(
    "SELECT member_id FROM profiles WHERE member_id IN (SELECT member_id FROM point_holds"
    " WHERE until <= siyu_now() ORDER BY until, key LIMIT :most) ORDER BY member_id FOR NO KEY UPDATE SKIP LOCKED"
)


async def hold(
    session: AsyncSession, member_id: int, points: int, *, reason: str, key: str, until: datetime, by: str = "system"
) -> Posting:
    """Set `points` aside, oldest expiry first, until `post` or `void` with `key`, or until the time is over.

    They cannot be spent meanwhile, and do not run out. Raises InsufficientPoints (with `balance`), InvalidHold,
    PointsOutOfRange, InvalidReason, InvalidPostingKey, PostingKeyReused.
    """
    now = await clock.now(session)
    if until.tzinfo is None or not now < until <= now + LONGEST:
        raise InvalidHold
    line = Line(
        member_id=member_id,
        kind=EntryKind.HOLD,
        key=policy.check_key(key),
        points=-policy.check_points(points),
        contra=Account.HELD,
        reason=policy.check_reason(reason),
        occurred_at=now,
        actor=by,
    )
    await expiry.expire(session, expiry.OF_ONE_MEMBER, member_id)
    made = await posting.post(session, line)
    if made.is_new:
        values = {"points": points, "reason": line.reason, "held_at": now, "until": until}
        owner = {"key": key, "member_id": made.member_id, "transaction_id": made.transaction_id}
        await session.execute(insert(HoldRow).values(**owner, **values))
        fact = PointsHeld(member_id=made.member_id, points=points, reason=line.reason, until=until)
        await events.publish(session, fact)
    return made


async def post(session: AsyncSession, key: str, *, by: str = "system") -> Posting:
    """Spend the held points. Again it answers the first time.

    Raises HoldNotFound, HoldResolved when they were given back, HoldRanOut when their time is over.
    """
    row = await set_aside.open_row(session, HoldRow, key)
    if row is None:
        return await _resolved(session, key, EntryKind.SPEND)
    now = await clock.now(session)
    if row.until <= now:
        raise HoldRanOut(key=key)
    line = Line(
        member_id=row.member_id,
        kind=EntryKind.SPEND,
        key=f"{EntryKind.SPEND}:{key}",
        points=-row.points,
        contra=Account.REDEMPTION,
        reason=row.reason,
        occurred_at=now,
        actor=by,
    )
    made = posting.checked(line, await repository.shift(session, Account.HELD, line))
    await session.execute(delete(HoldRow).where(HoldRow.key == key))
    await posting.announce_spending(session, made, row.points, row.reason)
    return made


async def void(session: AsyncSession, key: str, *, by: str = "system") -> Posting:
    """Give the held points back with the expiry that they had. Again it answers the first time.

    Raises HoldNotFound, HoldResolved when they were spent.
    """
    row = await set_aside.open_row(session, HoldRow, key)
    if row is None:
        return await _resolved(session, key, EntryKind.VOID)
    return (await _give_back(session, [row], row.reason, by))[0]


async def void_due(session: AsyncSession, most: int = AT_ONCE) -> int:
    """Give back what was held for too long by the database's clock, at most `most` holds; answers how many."""
    owners = list((await session.execute(_DUE, {"most": most})).scalars())
    due = select(HoldRow).where(HoldRow.member_id.in_(owners), HoldRow.until <= await clock.now(session))
    rows = list(await session.scalars(due.order_by(HoldRow.until, HoldRow.key).limit(most)))
    return len(await _give_back(session, rows, RAN_OUT, "system")) if rows else 0


async def of_member(session: AsyncSession, member_id: int, limit: int = 50) -> list[Hold]:
    """What is held, the soonest to run out first."""
    query = select(HoldRow).where(HoldRow.member_id == member_id).order_by(HoldRow.until, HoldRow.key).limit(limit)
    return [
        Hold(row.key, row.member_id, row.points, row.reason, row.held_at, row.until)
        for row in await session.scalars(query)
    ]


async def _give_back(session: AsyncSession, rows: list[HoldRow], reason: str, by: str) -> list[Posting]:
    now = await clock.now(session)
    lines = [
        Line(
            member_id=row.member_id,
            kind=EntryKind.VOID,
            key=f"{EntryKind.VOID}:{row.key}",
            points=row.points,
            contra=Account.HELD,
            reason=reason,
            occurred_at=now,
            actor=by,
            restores_id=row.transaction_id,
            restores_at=row.held_at,
        )
        for row in rows
    ]
    posted = await repository.post(session, lines)
    await session.execute(delete(HoldRow).where(HoldRow.key.in_([row.key for row in rows])))
    made = [posting.checked(line, row) for line, row in zip(lines, posted, strict=True)]
    facts = [PointsReleased(member_id=item.member_id, points=item.points, reason=reason) for item in made]
    await events.publish_many(session, facts)
    return made


async def _resolved(session: AsyncSession, key: str, kind: EntryKind) -> Posting:
    return await set_aside.resolved(session, key, kind, unknown=HoldNotFound, otherwise=HoldResolved)
