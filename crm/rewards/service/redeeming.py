"""Redeeming: stock, limits, points and voucher in one transaction, once by key; and taking it back."""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.coupons.service import issuing
from crm.db import clock
from crm.db.session import vault
from crm.events import service as events
from crm.events.loyalty import RedemptionCancelled, RewardRedeemed
from crm.kit.ids import uuid7
from crm.members import service as members
from crm.points import service as points
from crm.profiles import service as profiles
from crm.rewards import policy, repository
from crm.rewards.errors import InvalidAddress, RedemptionSettled, RewardLimit, RewardOutOfStock
from crm.rewards.models import RedemptionKeyRow, RedemptionRow, RewardCountRow, RewardRow
from crm.rewards.types import Redemption, RedemptionStatus, Reward, RewardKind


async def redeem(
    session: AsyncSession, member_id: int, reward_id: int, *, key: str, address: str | None = None, by: str = "member"
) -> Redemption:
    """Give the member a reward for their points; the same `key` answers what was done the first time.

    Of many who want the last one, one gets it. Raises RewardNotFound, RewardInactive, RewardNotYet, RewardEnded,
    RewardTier, RewardLimit, RewardOutOfStock, InsufficientPoints, InvalidAddress, and what issuing its voucher raises.
    """
    member_id = await members.enter(session, member_id)
    now = await clock.now(session)
    redemption_id = uuid7(now)
    claim = upsert(RedemptionKeyRow).values(key=key, redemption_id=redemption_id, at=now).on_conflict_do_nothing()
    if await session.scalar(claim.returning(RedemptionKeyRow.key)) is None:
        known = await session.scalar(select(RedemptionKeyRow.redemption_id).where(RedemptionKeyRow.key == key))
        assert known is not None
        return await repository.redemption(session, known)
    reward = await _take(session, member_id, reward_id, now)
    where_to = _address(reward, address)
    name = reward.name.get("zh-CN") or next(iter(reward.name.values()))
    paid = await points.redeem(session, member_id, reward.price.points, reason=name, key=f"reward:{redemption_id}")
    voucher_id = await _voucher(session, member_id, reward, redemption_id)
    is_goods = reward.kind is RewardKind.GOODS
    values = {
        "id": redemption_id,
        "at": now,
        "reward_id": reward_id,
        "member_id": member_id,
        "points": reward.price.points,
        "amount": reward.price.amount,
        "status": RedemptionStatus.PENDING if is_goods else RedemptionStatus.ISSUED,
        "transaction_id": paid.transaction_id,
        "voucher_id": voucher_id,
        "address": None if where_to is None else vault(session).seal(where_to, _place(redemption_id)),
        "changed_by": by,
    }
    await session.execute(insert(RedemptionRow).values(values))
    fact = RewardRedeemed(
        member_id=member_id, redemption_id=redemption_id, reward_id=reward_id, points=reward.price.points
    )
    await events.publish(session, fact)
    return replace(await repository.redemption(session, redemption_id), balance=paid.balance, is_new=True)


async def cancel(session: AsyncSession, redemption_id: UUID, *, reason: str, by: str) -> Redemption:
    """Take a redemption back: points, stock and limit return, an unused voucher goes.

    Raises RedemptionNotFound, RedemptionSettled once goods are on their way, VoucherUsed, VoucherExpired.
    """
    await members.enter(session, (await repository.redemption(session, redemption_id)).member_id)
    redemption = await repository.redemption(session, redemption_id)
    open_ones = (RedemptionRow.id == redemption_id, RedemptionRow.status.in_(policy.CANCELLABLE))
    values = {"status": RedemptionStatus.CANCELLED, "changed_by": by, "changed_at": await clock.now(session)}
    closing = update(RedemptionRow).where(*open_ones).values(values).returning(RedemptionRow.id)
    if await session.scalar(closing) is None:
        raise RedemptionSettled(status=(await repository.redemption(session, redemption_id)).status.value)
    more = RewardRow.stock + 1  # NULL stays NULL: no limit
    put_back = update(RewardRow).where(RewardRow.id == redemption.reward_id)
    await session.execute(put_back.values(stock=more, redeemed=RewardRow.redeemed - 1))
    counted = (RewardCountRow.reward_id == redemption.reward_id, RewardCountRow.member_id == redemption.member_id)
    await session.execute(update(RewardCountRow).where(*counted).values(redeemed=RewardCountRow.redeemed - 1))
    await points.reverse(session, redemption.transaction_id, reason=reason, key=f"reward_back:{redemption_id}", by=by)
    if redemption.voucher_id is not None:
        await issuing.cancel(session, redemption.voucher_id, reason=reason, by=by)
    fact = RedemptionCancelled(
        member_id=redemption.member_id, redemption_id=redemption_id, reward_id=redemption.reward_id
    )
    await events.publish(session, fact)
    return await repository.redemption(session, redemption_id)


async def _take(session: AsyncSession, member_id: int, reward_id: int, now: datetime) -> Reward:
    """One of the stock and of the member's limit; the reward's row is held until the commit."""
    reward = await repository.reward(session, reward_id)
    profile = await profiles.get(session, member_id)
    had = (await repository.had(session, member_id)).get(reward_id, 0)
    # What the member has is judged by the ledger, which also takes it; here it must not hide the other reasons.
    obstacle = policy.obstacle(reward, tier=profile.tier, had=had, balance=reward.price.points, now=now)
    if obstacle is not None:
        raise obstacle
    # What was just read may have changed: price and access as they are in the moment of taking are what counts.
    still = (RewardRow.id == reward_id, RewardRow.is_active, or_(RewardRow.stock.is_(None), RewardRow.stock > 0))
    taking = update(RewardRow).where(*still).values(stock=RewardRow.stock - 1, redeemed=RewardRow.redeemed + 1)
    row = await session.scalar(taking.returning(RewardRow).execution_options(populate_existing=True))
    if row is None:
        raise RewardOutOfStock
    reward = repository.as_reward(row)
    limit = policy.limit_for(reward.access, profile.tier)
    add = upsert(RewardCountRow).values(reward_id=reward_id, member_id=member_id, redeemed=1)
    one_more = add.on_conflict_do_update(
        index_elements=["reward_id", "member_id"],
        set_={"redeemed": RewardCountRow.redeemed + 1},
        where=None if limit is None else RewardCountRow.redeemed < limit,
    )
    if await session.scalar(one_more.returning(RewardCountRow.redeemed)) is None:
        raise RewardLimit(limit=limit)
    return reward


async def _voucher(session: AsyncSession, member_id: int, reward: Reward, redemption_id: UUID) -> UUID | None:
    if reward.coupon_id is None:
        return None
    issued = await issuing.issue(
        session, member_id, reward.coupon_id, key=f"redemption:{redemption_id}", source=f"reward:{reward.id}"
    )
    return issued.id


def _address(reward: Reward, address: str | None) -> str | None:
    if not reward.needs_address:
        return None
    if address is None:
        raise InvalidAddress("this reward is sent: say where to")
    return policy.check_address(address)


def _place(redemption_id: UUID) -> str:
    return f"redemptions.address:{redemption_id}"
