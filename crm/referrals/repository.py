"""Rows of referrals as values."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.referrals.errors import ReferralNotFound, ReferralProgrammeNotFound
from crm.referrals.models import GivenRow, ProgrammeRow, ReferralRow
from crm.referrals.types import (
    Act,
    Doubt,
    Flag,
    Gift,
    Given,
    Level,
    Limits,
    Part,
    Programme,
    Referral,
    Status,
    Terms,
)


def terms_of(row: ProgrammeRow) -> Terms:
    """The terms that the row holds."""
    return Terms(
        act=Act(row.act),
        referrer=Gift(row.referrer_points, row.referrer_coupon_id),
        friend=Gift(row.friend_points, row.friend_coupon_id),
        levels=tuple(Level(level["friends"], Gift(level["points"], level["coupon_id"])) for level in row.levels),
        second_percent=row.second_percent,
        minimum_order=row.minimum_order,
        qualify_days=row.qualify_days,
        points_last_days=row.points_last_days,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        limits=Limits(row.per_referrer, row.per_hour, row.per_day, row.budget_points),
    )


def columns_of(terms: Terms) -> dict[str, Any]:
    """The way back: the terms as column values."""
    levels = [
        {"friends": level.friends, "points": level.gift.points, "coupon_id": level.gift.coupon_id}
        for level in terms.levels
    ]
    return {
        "act": terms.act,
        "minimum_order": terms.minimum_order,
        "referrer_points": terms.referrer.points,
        "referrer_coupon_id": terms.referrer.coupon_id,
        "friend_points": terms.friend.points,
        "friend_coupon_id": terms.friend.coupon_id,
        "second_percent": terms.second_percent,
        "levels": levels,
        "qualify_days": terms.qualify_days,
        "points_last_days": terms.points_last_days,
        "starts_at": terms.starts_at,
        "ends_at": terms.ends_at,
        "per_referrer": terms.limits.per_referrer,
        "per_hour": terms.limits.per_hour,
        "per_day": terms.limits.per_day,
        "budget_points": terms.limits.budget_points,
    }


def as_programme(row: ProgrammeRow) -> Programme:
    """The row as a value."""
    return Programme(
        row.id, row.name, dict(row.headline), terms_of(row), row.is_active, row.spent_points, row.created_at
    )


async def programme(session: AsyncSession, programme_id: int) -> Programme:
    """One programme, read anew. Raises ReferralProgrammeNotFound."""
    row = await session.get(ProgrammeRow, programme_id, populate_existing=True)
    if row is None:
        raise ReferralProgrammeNotFound(programme_id=programme_id)
    return as_programme(row)


def as_referral(row: ReferralRow) -> Referral:
    """The row as a value."""
    return Referral(
        id=row.id,
        programme_id=row.programme_id,
        referrer_id=row.referrer_id,
        friend_id=row.friend_id,
        status=Status(row.status),
        doubts=tuple(Doubt(Flag(item["flag"]), item["detail"]) for item in row.doubts),
        joined_at=row.joined_at,
        deadline_at=row.deadline_at,
        acted_at=row.acted_at,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
        reason=row.reason,
    )


async def referrals(session: AsyncSession, query: Select[Any]) -> list[Referral]:
    """What the query finds, read anew."""
    rows = await session.scalars(query.execution_options(populate_existing=True))
    return [as_referral(row) for row in rows]


async def referral(session: AsyncSession, referral_id: UUID, *, is_locked: bool = False) -> Referral:
    """One referral. Raises ReferralNotFound."""
    query = select(ReferralRow).where(ReferralRow.id == referral_id)
    found = await referrals(session, query.with_for_update() if is_locked else query)
    if not found:
        raise ReferralNotFound(referral_id=str(referral_id))
    return found[0]


async def qualified_count(session: AsyncSession, referrer_id: int, programme_id: int) -> int:
    """How many friends of the referrer have qualified in the programme."""
    own = (ReferralRow.referrer_id == referrer_id, ReferralRow.programme_id == programme_id)
    query = select(func.count()).select_from(ReferralRow).where(*own, ReferralRow.status == Status.QUALIFIED)
    return await session.scalar(query) or 0


def as_given(row: GivenRow) -> Given:
    """The row as a value."""
    return Given(
        key=row.key,
        part=Part(row.part),
        member_id=row.member_id,
        referral_id=row.referral_id,
        friends=row.friends,
        points=row.points,
        voucher_id=row.voucher_id,
        problem=row.problem,
        given_at=row.given_at,
        taken_back_at=row.taken_back_at,
        remains=row.remains,
    )
