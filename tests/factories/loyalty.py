"""Coupons and rewards for tests."""

from decimal import Decimal
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm.coupons.service import definitions, issuing
from crm.coupons.types import CodeSource, Coupon, CouponKind, NewCoupon, Terms, Voucher
from crm.kit.ids import token
from crm.rewards.service import catalogue
from crm.rewards.types import Access, NewReward, Price, Reward, RewardKind
from crm.tiers.service import programmes
from tests.factories.tiers import make_programme


async def make_coupon(
    session: AsyncSession,
    *,
    kind: CouponKind = CouponKind.FIXED,
    value: str | None = "10",
    code_source: CodeSource = CodeSource.PATTERN,
    shared_code: str | None = None,
    **terms: Any,
) -> Coupon:
    """Ten off, unless said otherwise."""
    new = NewCoupon(
        {"en": "Ten off", "zh-CN": "立减十元"},
        Terms(kind, None if value is None else Decimal(value), **terms),
        code_source=code_source,
        shared_code=shared_code,
    )
    return await definitions.create(session, new)


async def issue(session: AsyncSession, member_id: int, coupon: Coupon) -> Voucher:
    """A voucher under a key of its own."""
    return await issuing.issue(session, member_id, coupon.id, key=token("test:"), source="test")


async def make_reward(
    session: AsyncSession,
    *,
    points: int = 100,
    coupon: Coupon | None = None,
    stock: int | None = None,
    needs_address: bool = False,
    **access: Any,
) -> Reward:
    """A tin of tea for 100 points, or a voucher of `coupon`; with tiers there is a programme that has them."""
    if (access.get("tiers") or access.get("tier_limits")) and not await programmes.keys(session):
        await make_programme(session)
    new = NewReward(
        {"en": "Tin of tea", "zh-CN": "茶叶罐"},
        RewardKind.GOODS if coupon is None else RewardKind.VOUCHER,
        Price(points),
        coupon_id=coupon.id if coupon else None,
        stock=stock,
        access=Access(**access),
        needs_address=needs_address,
    )
    return await catalogue.create(session, new)
