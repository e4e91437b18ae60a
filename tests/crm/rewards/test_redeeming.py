"""Redeeming: all of it or nothing of it, never more than there is."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.coupons.errors import CouponGone
from crm.coupons.errors import VoucherUsed as VoucherUsedError
from crm.coupons.service import counter, holding
from crm.coupons.types import VoucherStatus
from crm.db import clock
from crm.db.session import Sessions
from crm.kit.errors import DomainError
from crm.members import merging
from crm.points import service as points
from crm.points.errors import InsufficientPoints
from crm.profiles import service as profiles
from crm.rewards.errors import (
    InvalidAddress,
    RedemptionSettled,
    RewardEnded,
    RewardInactive,
    RewardLimit,
    RewardNotFound,
    RewardNotYet,
    RewardOutOfStock,
    RewardTier,
)
from crm.rewards.service import catalogue, fulfilment, redeeming
from crm.rewards.types import RedemptionStatus
from tests.factories.loyalty import make_coupon, make_reward
from tests.factories.members import make_member
from tests.factories.points import assert_sound, give


async def test_a_voucher_reward(session: AsyncSession) -> None:
    member, coupon = await make_member(session), await make_coupon(session)
    await give(session, member.id, 150)
    reward = await make_reward(session, points=100, coupon=coupon, stock=5)
    done = await redeeming.redeem(session, member.id, reward.id, key="k:1")
    assert (done.is_new, done.balance, done.status) == (True, 50, RedemptionStatus.ISSUED)
    assert done.voucher_id is not None
    voucher = await holding.get(session, done.voucher_id)
    assert (voucher.member_id, voucher.source, voucher.status) == (
        member.id,
        f"reward:{reward.id}",
        VoucherStatus.ISSUED,
    )
    again = await redeeming.redeem(session, member.id, reward.id, key="k:1")
    assert (again.id, again.is_new) == (done.id, False)
    left = await catalogue.get(session, reward.id)
    assert (left.stock, left.redeemed, await points.balance(session, member.id)) == (4, 1, 50)
    await assert_sound(session)


async def test_goods_are_asked_where_to(session: AsyncSession) -> None:
    member = await make_member(session)
    await give(session, member.id, 500)
    reward = await make_reward(session, needs_address=True)
    for address in (None, "x", "y" * 501):
        with pytest.raises(InvalidAddress):
            async with session.begin_nested():
                await redeeming.redeem(session, member.id, reward.id, key="k", address=address)
    assert await points.balance(session, member.id) == 500
    done = await redeeming.redeem(session, member.id, reward.id, key="k", address=" 杭州市西湖区龙井路 1 号 ")
    assert await fulfilment.address(session, done.id) == "杭州市西湖区龙井路 1 号"
    assert done.status is RedemptionStatus.PENDING


async def test_fulfilment_goes_forward_only(session: AsyncSession) -> None:
    member = await make_member(session)
    await give(session, member.id, 500)
    done = await redeeming.redeem(session, member.id, (await make_reward(session)).id, key="k")
    await fulfilment.advance(session, done.id, RedemptionStatus.PREPARED, by="operator:1")
    sent = await fulfilment.advance(session, done.id, RedemptionStatus.SHIPPED, by="operator:1", tracking=" SF 123 ")
    assert (sent.status, sent.tracking) == (RedemptionStatus.SHIPPED, "SF 123")
    for to in (RedemptionStatus.PREPARED, RedemptionStatus.PENDING, RedemptionStatus.CANCELLED):
        with pytest.raises(RedemptionSettled):
            await fulfilment.advance(session, done.id, to, by="operator:1")
    with pytest.raises(RedemptionSettled):
        await redeeming.cancel(session, done.id, reason="late", by="operator:1")
    await fulfilment.advance(session, done.id, RedemptionStatus.DELIVERED, by="operator:1")


async def test_why_not(session: AsyncSession) -> None:
    now, day = await clock.now(session), timedelta(days=1)
    member = await make_member(session)
    await give(session, member.id, 100)
    off = await make_reward(session)
    await catalogue.change(session, off.id, is_active=False)
    cases = [
        (off, RewardInactive),
        (await make_reward(session, starts_at=now + day), RewardNotYet),
        (await make_reward(session, ends_at=now - day), RewardEnded),
        (await make_reward(session, tiers=["gold"]), RewardTier),
        (await make_reward(session, stock=0), RewardOutOfStock),
        (await make_reward(session, points=101), InsufficientPoints),
        (await make_reward(session, coupon=await make_coupon(session, ends_at=now - day)), DomainError),
    ]
    for reward, error in cases:
        with pytest.raises(error):
            async with session.begin_nested():
                await redeeming.redeem(session, member.id, reward.id, key=f"k:{reward.id}")
        left = await catalogue.get(session, reward.id)
        assert (left.stock, left.redeemed) == (reward.stock, 0)
    with pytest.raises(RewardNotFound):
        await redeeming.redeem(session, member.id, 2**40, key="k")
    assert await points.balance(session, member.id) == 100


async def test_limits_by_member_and_tier(session: AsyncSession) -> None:
    member = await make_member(session)
    await give(session, member.id, 1000)
    reward = await make_reward(session, limit_per_member=1, tier_limits={"gold": 2})
    await redeeming.redeem(session, member.id, reward.id, key="k:1")
    with pytest.raises(RewardLimit):
        await redeeming.redeem(session, member.id, reward.id, key="k:2")
    await profiles.record(session, member.id, tier="gold")
    await redeeming.redeem(session, member.id, reward.id, key="k:3")
    with pytest.raises(RewardLimit):
        await redeeming.redeem(session, member.id, reward.id, key="k:4")


async def test_cancelling_gives_everything_back(session: AsyncSession) -> None:
    member, coupon = await make_member(session), await make_coupon(session)
    await give(session, member.id, 100)
    reward = await make_reward(session, coupon=coupon, stock=1, limit_per_member=1)
    done = await redeeming.redeem(session, member.id, reward.id, key="k:1")
    back = await redeeming.cancel(session, done.id, reason="mistake", by="operator:1")
    assert back.status is RedemptionStatus.CANCELLED
    assert back.voucher_id is not None
    assert (await holding.get(session, back.voucher_id)).status is VoucherStatus.CANCELLED
    assert ((await catalogue.get(session, reward.id)).stock, await points.balance(session, member.id)) == (1, 100)
    with pytest.raises(RedemptionSettled):
        await redeeming.cancel(session, done.id, reason="again", by="operator:1")
    await redeeming.redeem(session, member.id, reward.id, key="k:2")
    await assert_sound(session)


async def test_what_was_used_is_not_cancelled(session: AsyncSession) -> None:
    member = await make_member(session)
    await give(session, member.id, 100)
    reward = await make_reward(session, coupon=await make_coupon(session))
    done = await redeeming.redeem(session, member.id, reward.id, key="k:1")
    assert done.voucher_id is not None
    code = (await holding.get(session, done.voucher_id)).code
    await counter.use(session, [code], key="till", by="x")
    with pytest.raises(VoucherUsedError):
        async with session.begin_nested():
            await redeeming.cancel(session, done.id, reason="x", by="y")
    assert await points.balance(session, member.id) == 0
    assert (await fulfilment.get(session, done.id)).status is RedemptionStatus.ISSUED


async def test_redemptions_follow_a_merge(session: AsyncSession) -> None:
    keep, drop = await make_member(session), await make_member(session)
    await give(session, drop.id, 100)
    reward = await make_reward(session, limit_per_member=1)
    done = await redeeming.redeem(session, drop.id, reward.id, key="k:1")
    merged = await merging.merge(session, keep.id, drop.id, by="x")
    assert [item.id for item in await fulfilment.recent(session, keep.id)] == [done.id]
    await give(session, keep.id, 100)
    with pytest.raises(RewardLimit):
        async with session.begin_nested():
            await redeeming.redeem(session, keep.id, reward.id, key="k:2")
    await merging.undo(session, merged, by="x")
    assert [item.id for item in await fulfilment.recent(session, drop.id)] == [done.id]


async def _race(
    sessions: Sessions, tries: int, attempt: Callable[[AsyncSession, int], Awaitable[object]]
) -> list[type[Exception] | None]:
    room = asyncio.Semaphore(40)

    async def one(number: int) -> type[Exception] | None:
        try:
            async with room, sessions.begin() as session:
                await attempt(session, number)
        except DomainError as error:
            return type(error)
        return None

    return list(await asyncio.gather(*(one(number) for number in range(tries))))


async def test_of_a_hundred_one_gets_the_last_item(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        reward = await make_reward(session, stock=1)
        members = [(await make_member(session)).id for _ in range(100)]
        for member_id in members:
            await give(session, member_id, 100)

    async def attempt(session: AsyncSession, number: int) -> object:
        return await redeeming.redeem(session, members[number], reward.id, key=f"k:{number}")

    found = await _race(committed_sessions, 100, attempt)
    assert (found.count(None), found.count(RewardOutOfStock)) == (1, 99)
    async with committed_sessions() as session:
        assert (await catalogue.get(session, reward.id)).stock == 0
        assert sum([await points.balance(session, member_id) for member_id in members]) == 9_900
        await assert_sound(session)


async def test_of_a_hundred_one_spends_the_last_points(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        coupon = await make_coupon(session)
        rewards = [(await make_reward(session, coupon=coupon)).id for _ in range(4)]
        member = await make_member(session)
        await give(session, member.id, 100)

    async def attempt(session: AsyncSession, number: int) -> object:
        return await redeeming.redeem(session, member.id, rewards[number % 4], key=f"k:{number}")

    found = await _race(committed_sessions, 100, attempt)
    assert (found.count(None), found.count(InsufficientPoints)) == (1, 99)
    async with committed_sessions() as session:
        assert len(await holding.usable(session, member.id)) == 1
        assert sum([(await catalogue.get(session, reward)).redeemed for reward in rewards]) == 1
        await assert_sound(session)


async def test_the_last_code_of_a_pool_stops_the_redemption(session: AsyncSession) -> None:
    member = await make_member(session)
    await give(session, member.id, 200)
    coupon = await make_coupon(session, limit_total=1)
    reward = await make_reward(session, coupon=coupon)
    await redeeming.redeem(session, member.id, reward.id, key="k:1")
    with pytest.raises(CouponGone):
        async with session.begin_nested():
            await redeeming.redeem(session, member.id, reward.id, key="k:2")
    assert await points.balance(session, member.id) == 100
