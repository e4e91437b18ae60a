"""Rewards as operators keep them and as members see them."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.coupons.service import definitions as coupons
from crm.db import clock
from crm.media import service as media
from crm.profiles import service as profiles
from crm.rewards import policy, repository
from crm.rewards.errors import RewardNotFound
from crm.rewards.models import RewardRow
from crm.rewards.types import Access, NewReward, Offer, Price, Reward
from crm.tiers.service import programmes as tiers


async def create(session: AsyncSession, new: NewReward, *, is_demo: bool = False) -> Reward:
    """Add a reward to the catalogue; one of the demo brand is removed with it.

    Raises InvalidReward, UnknownTier, CouponNotFound, MediaNotFoundError.
    """
    checked = policy.check_new(new)
    await _check_tiers(session, checked.access)
    if checked.coupon_id is not None:
        await coupons.get(session, checked.coupon_id)
    if checked.photo_media_id is not None:
        await media.get(session, checked.photo_media_id)
    values = {
        "name": checked.name,
        "description": checked.description,
        "kind": checked.kind,
        "coupon_id": checked.coupon_id,
        "photo_media_id": checked.photo_media_id,
        "stock": checked.stock,
        "needs_address": checked.needs_address,
        "position": checked.position,
        "is_demo": is_demo,
        **_price(checked.price),
        **vars(checked.access),
    }
    made = await session.execute(insert(RewardRow).values(values).returning(RewardRow.id))
    return await repository.reward(session, made.scalar_one())


async def change(
    session: AsyncSession,
    reward_id: int,
    *,
    name: dict[str, str] | None = None,
    description: dict[str, str] | None = None,
    price: Price | None = None,
    access: Access | None = None,
    photo_media_id: UUID | None = None,
    position: int | None = None,
    is_active: bool | None = None,
) -> Reward:
    """Change what is given. Redemptions made before keep what was paid.

    Raises RewardNotFound, InvalidReward, UnknownTier.
    """
    if access is not None:
        await _check_tiers(session, access)
    values: dict[str, Any] = {"position": position, "is_active": is_active, "photo_media_id": photo_media_id}
    if photo_media_id is not None:
        await media.get(session, photo_media_id)
    values["name"] = None if name is None else policy.check_name(name)
    values["description"] = None if description is None else policy.check_description(description)
    values = {key: value for key, value in values.items() if value is not None}
    values |= {} if price is None else _price(policy.check_price(price))
    values |= {} if access is None else vars(policy.check_access(access))
    if values:
        await session.execute(update(RewardRow).where(RewardRow.id == reward_id).values(values))
    return await repository.reward(session, reward_id)


async def set_stock(session: AsyncSession, reward_id: int, stock: int | None) -> Reward:
    """What is left from now on; None: as many as are wanted. Raises RewardNotFound, InvalidReward."""
    values = {"stock": policy.check_stock(stock)}
    await session.execute(update(RewardRow).where(RewardRow.id == reward_id).values(values))
    return await repository.reward(session, reward_id)


async def get(session: AsyncSession, reward_id: int) -> Reward:
    """One reward. Raises RewardNotFound."""
    return await repository.reward(session, reward_id)


async def listing(session: AsyncSession) -> list[Reward]:
    """The whole catalogue, in its order."""
    return await repository.rewards(session, select(RewardRow).order_by(RewardRow.position, RewardRow.id))


async def offers(session: AsyncSession, member_id: int) -> list[Offer]:
    """What is offered now, as the member sees it; what is for other tiers or over is left out."""
    had = await repository.had(session, member_id)
    found = [await _offer(session, member_id, reward, had) for reward in await listing(session)]
    hidden = {"reward_inactive", "reward_not_yet", "reward_ended", "reward_tier"}
    return [offer for offer in found if offer.why_not not in hidden]


async def offer(session: AsyncSession, member_id: int, reward_id: int) -> Offer:
    """One reward as the member sees it. Raises RewardNotFound, also for one that is not offered."""
    found = await _offer(
        session, member_id, await repository.reward(session, reward_id), await repository.had(session, member_id)
    )
    if found.why_not in {"reward_inactive", "reward_tier"}:
        raise RewardNotFound
    return found


async def _offer(session: AsyncSession, member_id: int, reward: Reward, had: dict[int, int]) -> Offer:
    profile = await profiles.get(session, member_id)
    obstacle = policy.obstacle(
        reward,
        tier=profile.tier,
        had=had.get(reward.id, 0),
        balance=profile.points_balance,
        now=await clock.now(session),
    )
    made = Offer(reward, can_have=obstacle is None)
    return made if obstacle is None else replace(made, why_not=obstacle.code())


def _price(price: Price) -> dict[str, Any]:
    return {"points": price.points, "amount": price.amount}


async def _check_tiers(session: AsyncSession, access: Access) -> None:
    await tiers.check_keys(session, [*access.tiers, *access.tier_limits])
