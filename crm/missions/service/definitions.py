"""Missions as operators keep them."""

from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.coupons.service import definitions as coupons
from crm.db import clock
from crm.events import wishes
from crm.missions import policy, repository
from crm.missions.models import MissionRow
from crm.missions.types import Mission, NewMission, Rewards

COUNTING = "missions.count"
"""The subscriber that counts events."""


async def create(session: AsyncSession, new: NewMission, *, is_demo: bool = False) -> Mission:
    """A mission that counts from now on, or from its start. Raises InvalidMission, CouponNotFound, BadgeNotFound."""
    checked = policy.check_new(new)
    await _require(session, checked.rewards)
    values = {
        **vars(checked),
        "steps": repository.steps_json(checked.steps),
        "rewards": vars(checked.rewards),
        "created_at": await clock.now(session),
        "is_demo": is_demo,
    }
    made = await session.execute(insert(MissionRow).values(values).returning(MissionRow.id))
    mission = await repository.mission(session, made.scalar_one())
    await renew_wishes(session)
    return mission


async def change(
    session: AsyncSession,
    mission_id: int,
    *,
    name: dict[str, str] | None = None,
    description: dict[str, str] | None = None,
    rewards: Rewards | None = None,
    position: int | None = None,
    is_active: bool | None = None,
) -> Mission:
    """Change what does not touch anybody's progress. Raises MissionNotFound, InvalidMission, CouponNotFound."""
    await repository.mission(session, mission_id)
    values: dict[str, Any] = {"position": position, "is_active": is_active}
    values["name"] = None if name is None else policy.check_name(name)
    values["description"] = None if description is None else policy.check_description(description)
    if rewards is not None:
        await _require(session, policy.check_rewards(rewards))
        values["rewards"] = vars(rewards)
    values = {key: value for key, value in values.items() if value is not None}
    if values:
        await session.execute(update(MissionRow).where(MissionRow.id == mission_id).values(values))
    await renew_wishes(session)
    return await repository.mission(session, mission_id)


async def get(session: AsyncSession, mission_id: int) -> Mission:
    """One mission. Raises MissionNotFound."""
    return await repository.mission(session, mission_id)


async def listing(session: AsyncSession) -> list[Mission]:
    """All missions, in their order."""
    return await repository.missions(session)


async def _require(session: AsyncSession, rewards: Rewards) -> None:
    if rewards.coupon_id is not None:
        await coupons.get(session, rewards.coupon_id)
    if rewards.badge_id is not None:
        await repository.badge(session, rewards.badge_id)


async def renew_wishes(session: AsyncSession) -> None:
    """Have events handed over that some active mission counts."""
    found = await repository.missions(session, active_only=True)
    await wishes.wish(session, COUNTING, {step.event for mission in found for step in mission.steps})
