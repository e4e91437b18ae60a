"""Giving what a programme promises, once per key; and taking it back."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.coupons.errors import VoucherExpired, VoucherUsed
from crm.coupons.service import issuing
from crm.db import clock
from crm.db.savepoint import savepoint
from crm.kit.errors import DomainError
from crm.kit.ids import uuid7
from crm.members import service as members
from crm.points import service as points
from crm.points.errors import AlreadyReversed
from crm.referrals import repository
from crm.referrals.models import GivenRow, ProgrammeRow, ReferralRow
from crm.referrals.types import Gift, Part, Programme, Referral

RULE = "referral"
"""What the ledger and vouchers say that it was for."""
_PERCENT = 100


@dataclass(frozen=True)
class Due:
    """Something to be given to one member."""

    key: str
    part: Part
    member_id: int
    gift: Gift
    referral_id: UUID | None = None
    friends: int | None = None
    problem: str | None = None
    """Why it is noted, but not given."""


async def enter(session: AsyncSession, referrals: Sequence[Referral]) -> None:
    """Hold all members whom rewards of these referrals belong to, before a referral or a programme is locked.

    They are several, so they are locked together, in the order of their ids; then nobody meets another in a ring.
    """
    ids = [referral.id for referral in referrals]
    own = {referral.friend_id for referral in referrals} | {referral.referrer_id for referral in referrals}
    referrers = [referral.referrer_id for referral in referrals]
    inviters = select(ReferralRow.referrer_id).where(ReferralRow.friend_id.in_(referrers))
    given = select(GivenRow.member_id).where(GivenRow.referral_id.in_(ids))
    await members.enter_all(session, {*own, *await session.scalars(inviters), *await session.scalars(given)})


async def reward(session: AsyncSession, referral: Referral, programme: Programme, count: int) -> None:
    """Reward a referral that has just qualified; `count` friends of the referrer have, this one counted."""
    terms, limits = programme.terms, programme.terms.limits
    is_over = limits.per_referrer is not None and count > limits.per_referrer
    problem = "limit" if is_over else None
    dues = [
        Due(f"friend:{referral.id}", Part.FRIEND, referral.friend_id, terms.friend, referral.id),
        Due(f"referrer:{referral.id}", Part.REFERRER, referral.referrer_id, terms.referrer, referral.id, None, problem),
    ]
    inviter = await _inviter(session, referral)
    share = terms.referrer.points * terms.second_percent // _PERCENT
    if inviter is not None and share and not is_over:
        dues.append(Due(f"second:{referral.id}", Part.SECOND, inviter, Gift(share), referral.id))
    dues += [
        Due(
            f"level:{programme.id}:{referral.referrer_id}:{level.friends}",
            Part.LEVEL,
            referral.referrer_id,
            level.gift,
            friends=level.friends,
        )
        for level in terms.levels
        if level.friends <= count
    ]
    coupons = {due.gift.coupon_id for due in dues if due.gift.coupon_id is not None}
    if len(coupons) > 1:
        await _hold_budgets(session, {programme.id})  # before coupons, as below
        await issuing.hold(session, coupons)
    for due in dues:
        if not due.gift.is_empty:
            await _give(session, programme, due)


async def take_back(session: AsyncSession, given: Sequence[GivenRow], *, reason: str, by: str) -> None:
    """Reverse points and cancel unused vouchers; what is used already is noted and stays. Again it does nothing."""
    now = await clock.now(session)
    await _hold_budgets(session, {row.programme_id for row in given})
    for row in given:
        if row.taken_back_at is not None:
            continue
        if row.transaction_id is not None:
            await _reverse(session, row, reason=reason, by=by)
        remains = None
        if row.voucher_id is not None:
            try:
                await issuing.cancel(session, row.voucher_id, reason=reason, by=by)
            except (VoucherUsed, VoucherExpired) as error:
                remains = error.code()
        # a level may be reached anew: its key is free again, and this line stays as history
        values = {"taken_back_at": now, "remains": remains, "key": f"{row.key}@{uuid7(now).hex}"}
        await _note(session, row.key, values)


async def of_referrals(session: AsyncSession, ids: Sequence[UUID]) -> list[GivenRow]:
    """What was given for these referrals and not taken back, locked."""
    query = select(GivenRow).where(GivenRow.referral_id.in_(ids), GivenRow.taken_back_at.is_(None))
    return list(await session.scalars(_locked(query)))


async def lost_levels(session: AsyncSession, member_ids: Sequence[int]) -> list[GivenRow]:
    """Levels that these members were rewarded for and stand below now, locked."""
    levels = (GivenRow.member_id.in_(member_ids), GivenRow.part == Part.LEVEL, GivenRow.taken_back_at.is_(None))
    lost = []
    for row in await session.scalars(_locked(select(GivenRow).where(*levels))):
        count = await repository.qualified_count(session, row.member_id, row.programme_id)
        if count < (row.friends or 0):
            lost.append(row)
    return lost


def _locked(query: Any) -> Any:
    return query.order_by(GivenRow.key).with_for_update().execution_options(populate_existing=True)


async def _hold_budgets(session: AsyncSession, programme_ids: Collection[int]) -> None:
    rows = select(ProgrammeRow.id).where(ProgrammeRow.id.in_(programme_ids)).order_by(ProgrammeRow.id)
    await session.execute(rows.with_for_update(key_share=True))


async def _inviter(session: AsyncSession, referral: Referral) -> int | None:
    """Who invited the referrer, unless that is the friend."""
    query = select(ReferralRow.referrer_id).where(ReferralRow.friend_id == referral.referrer_id)
    found = await session.scalar(query)
    return None if found in {referral.friend_id, referral.referrer_id} else found


async def _give(session: AsyncSession, programme: Programme, due: Due) -> None:
    now = await clock.now(session)
    row = {"key": due.key, "programme_id": programme.id, "referral_id": due.referral_id, "member_id": due.member_id}
    row |= {"part": due.part, "friends": due.friends, "problem": due.problem, "given_at": now}
    claim = upsert(GivenRow).values(row).on_conflict_do_nothing().returning(GivenRow.key)
    if (await session.execute(claim)).scalar_one_or_none() is None or due.problem is not None:
        return
    values: dict[str, Any] = {}
    problems = []
    if due.gift.points:
        if await _spend(session, programme.id, due.gift.points):
            values["points"] = due.gift.points
            values["transaction_id"] = await _earn(session, programme, due, now)
        else:
            problems.append("budget")
    if due.gift.coupon_id is not None:
        try:
            values["voucher_id"] = await _issue(session, due, due.gift.coupon_id, now)
        except DomainError as error:
            problems.append(error.code())
    values["problem"] = ", ".join(problems) or None
    await _note(session, due.key, values)


async def _note(session: AsyncSession, key: str, values: dict[str, Any]) -> None:
    noting = update(GivenRow).where(GivenRow.key == key).values(values)
    await session.execute(noting.execution_options(synchronize_session=False))


async def _spend(session: AsyncSession, programme_id: int, amount: int) -> bool:
    """Count points against the budget; False when it does not hold them. The row is held until the commit."""
    after = ProgrammeRow.spent_points + amount
    can = or_(ProgrammeRow.budget_points.is_(None), after <= ProgrammeRow.budget_points)
    spending = update(ProgrammeRow).where(ProgrammeRow.id == programme_id, can).values(spent_points=after)
    done = await session.execute(spending.returning(ProgrammeRow.id).execution_options(synchronize_session=False))
    return done.scalar_one_or_none() is not None


async def _earn(session: AsyncSession, programme: Programme, due: Due, now: datetime) -> UUID:
    days = programme.terms.points_last_days
    ends = None if days is None else now + timedelta(days=days)
    key = f"referral:{due.key}:{uuid7(now).hex}"
    made = await points.earn(session, due.member_id, due.gift.points, rule=RULE, key=key, expires_at=ends)
    return made.transaction_id


async def _issue(session: AsyncSession, due: Due, coupon_id: int, now: datetime) -> UUID:
    async with savepoint(session):
        key = f"referral:{due.key}:{uuid7(now).hex}"
        voucher = await issuing.issue(session, due.member_id, coupon_id, key=key, source=RULE)
    return voucher.id


async def _reverse(session: AsyncSession, row: GivenRow, *, reason: str, by: str) -> None:
    assert row.transaction_id is not None
    try:
        async with savepoint(session):
            key = f"referral:back:{row.transaction_id}"
            await points.reverse(session, row.transaction_id, reason=reason, key=key, by=by)
    except AlreadyReversed:
        return  # an operator took these points back by hand
    spent = ProgrammeRow.spent_points - row.points
    back = update(ProgrammeRow).where(ProgrammeRow.id == row.programme_id).values(spent_points=spent)
    await session.execute(back.execution_options(synchronize_session=False))
