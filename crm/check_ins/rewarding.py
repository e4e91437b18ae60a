"""Giving milestones: each once for the days that reached it, however the streak came about."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.check_ins import cards, policy, programmes
from crm.check_ins.models import GiftRow
from crm.check_ins.types import CardCause, Gift, Milestone
from crm.coupons.service import issuing
from crm.db import clock
from crm.events import service as events
from crm.events.loyalty import MilestoneReached
from crm.kit.errors import DomainError
from crm.points import service as points


async def give(session: AsyncSession, member_id: int, run: Sequence[date], *, before: int) -> list[Gift]:
    """Give the milestones that `run` reached since it was `before` days long. The member's standing must be held."""
    due = list[tuple[Milestone, int]]()
    for milestone in await programmes.milestones(session, active_only=True):
        given = await _given_within(session, member_id, milestone.id, run)
        lengths = policy.due(
            milestone.day, is_repeated=milestone.is_repeated, before=before, after=len(run), given=given
        )
        due += [(milestone, length) for length in lengths]
    await issuing.hold(session, [item.coupon_id for item, _ in due if item.coupon_id is not None])
    return [await _give(session, member_id, milestone, length, run[length - 1]) for milestone, length in due]


async def badge(session: AsyncSession, member_id: int) -> dict[str, str]:
    """The words of the member's latest badge; empty without one."""
    own = (GiftRow.member_id == member_id, GiftRow.badge != {})
    query = select(GiftRow.badge).where(*own).order_by(GiftRow.given_at.desc(), GiftRow.days.desc()).limit(1)
    return dict(await session.scalar(query) or {})


async def _given_within(session: AsyncSession, member_id: int, milestone_id: int, run: Sequence[date]) -> list[int]:
    own = (GiftRow.member_id == member_id, GiftRow.milestone_id == milestone_id)
    within = select(GiftRow.reached_on).where(*own, GiftRow.reached_on.between(run[0], run[-1]))
    places = {day: number for number, day in enumerate(run, 1)}
    return [places[day] for day in await session.scalars(within)]


async def _give(session: AsyncSession, member_id: int, milestone: Milestone, days: int, reached_on: date) -> Gift:
    key = f"check_in_milestone:{member_id}:{milestone.id}:{reached_on.isoformat()}"
    if milestone.points:
        await points.earn(session, member_id, milestone.points, rule="streak", key=key)
    voucher_id = await _issue(session, member_id, milestone, key)
    came = 0
    if milestone.cards:
        came = await cards.give(session, member_id, milestone.cards, key=key, cause=CardCause.MILESTONE)
    values: dict[str, Any] = {"member_id": member_id, "milestone_id": milestone.id, "reached_on": reached_on}
    values |= {"days": days, "points": milestone.points, "cards": came, "voucher_id": voucher_id}
    now = await clock.now(session)
    await session.execute(insert(GiftRow).values(**values, badge=milestone.badge, given_at=now))
    fact = MilestoneReached(
        member_id=member_id,
        milestone_id=milestone.id,
        days=days,
        reached_on=reached_on,
        points=milestone.points,
        voucher_id=voucher_id,
        cards=came,
    )
    await events.publish(session, fact)
    return Gift(milestone.id, reached_on, days, milestone.points, voucher_id is not None, came, milestone.badge)


async def _issue(session: AsyncSession, member_id: int, milestone: Milestone, key: str) -> UUID | None:
    """The voucher, if it could be issued: a coupon that has ended must not keep the rest back."""
    if milestone.coupon_id is None:
        return None
    try:
        async with session.begin_nested():
            source = f"check_in_milestone:{milestone.id}"
            return (await issuing.issue(session, member_id, milestone.coupon_id, key=key, source=source)).id
    except DomainError:
        return None
