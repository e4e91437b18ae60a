"""Pending points: earned and in the ledger, but not spendable until a time, an act, or whichever comes first."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brand
from crm.db import clock
from crm.events import service as events
from crm.events.catalogue import PointsEarned
from crm.events.found import Found
from crm.events.loyalty import PendingPointsCancelled, PointsPending
from crm.points import policy, posting, repository, set_aside
from crm.points.errors import InvalidPending, PendingNotFound, PendingResolved
from crm.points.models import PendingRow
from crm.points.repository import Line, Posted
from crm.points.starting import Act
from crm.points.types import Account, EntryKind, Pending, Posting
from crm.points.validity import Validity

AT_ONCE = 5000
_POSTED = "posted"
LONGEST = timedelta(days=3660)
_ACTIVATED = Found(
    PointsEarned,
    "SELECT member_id, points, reason AS rule, transaction_id, balance FROM siyu_activate_points(:most)",
)


@dataclass(frozen=True)
class Waiting:
    """What pending points wait for, and how long they last then."""

    activates_at: datetime | None
    validity: Validity
    act: Act | None = None


async def earn(
    session: AsyncSession,
    member_id: int,
    points: int,
    *,
    rule: str,
    key: str,
    activates_at: datetime | None = None,
    validity: Validity | None = None,
    earned_at: datetime | None = None,
    rule_id: int | None = None,
    event_id: UUID | None = None,
) -> Posting:
    """Credit `points` that are spendable from `activates_at` on, or once `activate` is called with `key`.

    Without a time only the act activates them. `validity` says when they run out, from earning or from activation.
    Raises PointsOutOfRange, InvalidPostingKey, InvalidReason, InvalidPending, PostingKeyReused.
    """
    at = earned_at or await clock.now(session)
    _check_time(at, activates_at)
    line = Line(
        member_id=member_id,
        kind=EntryKind.PENDING,
        key=policy.check_key(key),
        points=policy.check_points(points),
        contra=Account.ISSUANCE,
        reason=policy.check_reason(rule),
        occurred_at=at,
        rule_id=rule_id,
        event_id=event_id,
    )
    return posting.checked(line, await post(session, line, Waiting(activates_at, validity or Validity())))


async def post(session: AsyncSession, line: Line, waiting: Waiting) -> Posted:
    """Post a line of pending points; one that was posted before is answered as it was."""
    row = await repository.shift(session, Account.PENDING, line)
    if row.outcome == _POSTED:
        await _keep(session, line, row, waiting)
    return row


async def activate_by_act(session: AsyncSession, member_id: int, act: Act, at: datetime, event_id: UUID) -> int:
    """The member did this: what waited for it from before becomes spendable; answers how many lots of points.

    What the very same event has earned waits for the next one.
    """
    owner = await repository.lock(session, member_id)
    older = (PendingRow.earned_at < at, PendingRow.event_id.is_distinct_from(event_id))
    query = select(PendingRow.key).where(PendingRow.member_id == owner, PendingRow.act == act, *older)
    keys = (await session.scalars(query.order_by(PendingRow.earned_at, PendingRow.key))).all()
    for key in keys:
        await activate(session, key)
    return len(keys)


async def activate(session: AsyncSession, key: str, *, by: str = "system") -> Posting:
    """Make the pending points with this key spendable now; a debt is made good first. Again it answers the first time.

    Raises PendingNotFound, PendingResolved when they were cancelled.
    """
    row = await set_aside.open_row(session, PendingRow, key)
    if row is None:
        return await _resolved(session, key, EntryKind.ACTIVATE)
    now = await clock.now(session)
    validity = Validity.model_validate(row.validity)
    line = Line(
        member_id=row.member_id,
        kind=EntryKind.ACTIVATE,
        key=f"{EntryKind.ACTIVATE}:{key}",
        points=row.points,
        contra=Account.PENDING,
        reason=row.reason,
        occurred_at=now,
        actor=by,
        rule_id=row.rule_id,
        event_id=row.event_id,
        expires_at=validity.expires_at(row.earned_at, await brand.zone(session), now),
    )
    made = await posting.post(session, line)
    await session.execute(delete(PendingRow).where(PendingRow.key == key))
    await posting.announce_earning(session, made, row.reason)
    return made


async def cancel(session: AsyncSession, key: str, *, reason: str, by: str = "system") -> Posting:
    """Take the pending points with this key away before they are active. Again it answers the first time.

    Raises PendingNotFound, PendingResolved when they are active already, InvalidReason.
    """
    row = await set_aside.open_row(session, PendingRow, key)
    if row is None:
        return await _resolved(session, key, EntryKind.CANCEL)
    return await take(session, row, row.points, EntryKind.CANCEL, f"{EntryKind.CANCEL}:{key}", reason=reason, by=by)


async def take(
    session: AsyncSession, row: PendingRow, points: int, kind: EntryKind, key: str, *, reason: str, by: str
) -> Posting:
    """Take some of what is pending back to where it came from; the account is locked by the caller."""
    line = Line(
        member_id=row.member_id,
        kind=kind,
        key=key,
        points=-points,
        contra=Account.ISSUANCE,
        reason=policy.check_reason(reason),
        occurred_at=await clock.now(session),
        actor=by,
        rule_id=row.rule_id,
        event_id=row.event_id,
        reverses_id=row.transaction_id,
    )
    made = posting.checked(line, await repository.shift(session, Account.PENDING, line))
    if not made.is_new:
        return made
    if points == row.points:
        await session.execute(delete(PendingRow).where(PendingRow.key == row.key))
    else:
        row.points -= points
        await session.flush()
    fact = PendingPointsCancelled(member_id=made.member_id, points=points, rule=row.reason, reason=line.reason)
    await events.publish(session, fact)
    return made


async def activate_due(session: AsyncSession, most: int = AT_ONCE) -> int:
    """Activate at most `most` whose time has come, as one set, each at its own time; answers how many."""
    return await _ACTIVATED.record(session, most=most)


async def of_member(session: AsyncSession, member_id: int, limit: int = 50) -> list[Pending]:
    """What is pending, the soonest to become active first, those without a time last."""
    query = select(PendingRow).where(PendingRow.member_id == member_id)
    rows = await session.scalars(query.order_by(PendingRow.activates_at.nulls_last(), PendingRow.key).limit(limit))
    return [
        Pending(
            row.key, row.member_id, row.points, row.reason, row.earned_at, row.activates_at, row.expires_at, row.act
        )
        for row in rows
    ]


async def find_open(session: AsyncSession, transaction_id: UUID, member_id: int) -> PendingRow | None:
    """What is still pending of that earning."""
    own = (PendingRow.member_id == member_id, PendingRow.transaction_id == transaction_id)
    return await session.scalar(select(PendingRow).where(*own).execution_options(populate_existing=True))


def _check_time(at: datetime, activates_at: datetime | None) -> None:
    if activates_at is not None and (activates_at.tzinfo is None or not at < activates_at <= at + LONGEST):
        raise InvalidPending


async def _keep(session: AsyncSession, line: Line, made: Posted, waiting: Waiting) -> None:
    zone = await brand.zone(session)
    activates_at, validity = waiting.activates_at, waiting.validity
    expires_at = validity.expires_at(line.occurred_at, zone, activates_at) if activates_at else None
    row = insert(PendingRow).values(
        key=line.key,
        member_id=made.member_id,
        transaction_id=made.transaction_id,
        points=line.points,
        reason=line.reason,
        earned_at=line.occurred_at,
        activates_at=activates_at,
        act=waiting.act,
        expires_at=expires_at,
        validity=validity.model_dump(mode="json", exclude_defaults=True),
        rule_id=line.rule_id,
        event_id=line.event_id,
    )
    await session.execute(row)
    fact = PointsPending(
        member_id=made.member_id,
        points=line.points,
        rule=line.reason,
        transaction_id=made.transaction_id,
        activates_at=activates_at,
        act=waiting.act,
    )
    await events.publish(session, fact)


async def _resolved(session: AsyncSession, key: str, kind: EntryKind) -> Posting:
    return await set_aside.resolved(session, key, kind, unknown=PendingNotFound, otherwise=PendingResolved)
