"""The catalogue: what operators may put into it, and how members see it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.coupons.errors import CouponNotFound
from crm.db import clock
from crm.media.errors import MediaNotFoundError
from crm.profiles import service as profiles
from crm.rewards.errors import InvalidReward, RewardNotFound
from crm.rewards.service import catalogue
from crm.rewards.types import Access, NewReward, Price, RewardKind
from crm.tiers.errors import UnknownTier
from tests.factories.loyalty import make_coupon, make_reward
from tests.factories.members import make_member
from tests.factories.points import give
from tests.factories.tiers import make_programme

NAME = {"en": "Tea"}
GOODS, VOUCHER = RewardKind.GOODS, RewardKind.VOUCHER
AT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "new",
    [
        NewReward({"en": " "}, GOODS, Price(1)),
        NewReward(NAME, GOODS, Price(0)),
        NewReward(NAME, GOODS, Price(-5)),
        NewReward(NAME, GOODS, Price(10**9 + 1)),
        NewReward(NAME, GOODS, Price(1, Decimal(0))),
        NewReward(NAME, GOODS, Price(1, Decimal("NaN"))),
        NewReward(NAME, GOODS, Price(1, Decimal("1.001"))),
        NewReward(NAME, VOUCHER, Price(1)),
        NewReward(NAME, GOODS, Price(1), coupon_id=1),
        NewReward(NAME, VOUCHER, Price(1), coupon_id=1, needs_address=True),
        NewReward(NAME, GOODS, Price(1), stock=-1),
        NewReward(NAME, GOODS, Price(1), description={"en": "x" * 1001}),
        NewReward(NAME, GOODS, Price(1), access=Access(limit_per_member=0)),
        NewReward(NAME, GOODS, Price(1), access=Access(tier_limits={"gold": 0})),
        NewReward(NAME, GOODS, Price(1), access=Access(starts_at=AT, ends_at=AT)),
        NewReward(NAME, GOODS, Price(1), access=Access(ends_at=AT.replace(tzinfo=None))),
    ],
)
async def test_rewards_that_are_refused(session: AsyncSession, new: NewReward) -> None:
    with pytest.raises(InvalidReward):
        await catalogue.create(session, new)


async def test_what_a_reward_names_must_be_there(session: AsyncSession) -> None:
    with pytest.raises(CouponNotFound):
        await catalogue.create(session, NewReward(NAME, VOUCHER, Price(1), coupon_id=2**40))
    with pytest.raises(MediaNotFoundError):
        await catalogue.create(session, NewReward(NAME, GOODS, Price(1), photo_media_id=uuid4()))
    with pytest.raises(RewardNotFound):
        await catalogue.change(session, 2**40, position=3)


async def test_changing_a_reward(session: AsyncSession) -> None:
    reward = await make_reward(session, coupon=await make_coupon(session), stock=3, tiers=["gold"])
    price = Price(50, Decimal("9.90"))
    changed = await catalogue.change(session, reward.id, price=price, access=Access(), is_active=False, position=4)
    assert (changed.price, changed.access, changed.is_active, changed.position) == (price, Access(), False, 4)
    assert (changed.name, changed.stock) == (reward.name, 3)
    assert (await catalogue.set_stock(session, reward.id, None)).stock is None
    with pytest.raises(InvalidReward):
        await catalogue.set_stock(session, reward.id, -1)


async def test_a_member_sees_what_is_for_them_and_why_not(session: AsyncSession) -> None:
    now, day = await clock.now(session), timedelta(days=1)
    member = await make_member(session)
    await give(session, member.id, 100)
    fine, dear = await make_reward(session, points=100), await make_reward(session, points=101)
    empty, golden = await make_reward(session, stock=0), await make_reward(session, tiers=["gold"])
    await make_reward(session, starts_at=now + day)
    await make_reward(session, ends_at=now)
    await catalogue.change(session, (await make_reward(session)).id, is_active=False)
    seen = {offer.reward.id: (offer.can_have, offer.why_not) for offer in await catalogue.offers(session, member.id)}
    assert seen == {
        fine.id: (True, None),
        dear.id: (False, "insufficient_points"),
        empty.id: (False, "reward_out_of_stock"),
    }
    with pytest.raises(RewardNotFound):
        await catalogue.offer(session, member.id, golden.id)
    await profiles.record(session, member.id, tier="gold")
    assert (await catalogue.offer(session, member.id, golden.id)).can_have


async def test_tiers_of_a_reward_are_those_of_the_programme(session: AsyncSession) -> None:
    golden = NewReward(NAME, GOODS, Price(1), access=Access(tiers=["gold"]))
    with pytest.raises(UnknownTier, match="no tier programme yet"):
        await catalogue.create(session, golden)
    await make_programme(session)
    reward = await catalogue.create(session, golden)
    with pytest.raises(UnknownTier, match="there are silver, gold, black"):
        await catalogue.change(session, reward.id, access=Access(tier_limits={"platinum": 2}))
