"""The tier in the chat: the way to the next one, what it gives, what keeps it."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.orders import service as orders
from crm.tiers.service import standings
from crm.tiers.types import Measure, Window
from tests.conftest import At
from tests.factories.loyalty import make_coupon, make_reward
from tests.factories.orders import new_order
from tests.factories.points import give
from tests.factories.tiers import make_programme, rules, tier
from tests.flows.talking import member, stranger, words

LOCALES = pytest.mark.parametrize("locale", ["en", "zh-CN"])


async def _buy(session: AsyncSession, member_id: int, amount: str) -> None:
    await orders.record(session, new_order(member_id, amount, placed_at=await clock.now(session)))
    await standings.evaluate(session, member_id)


@LOCALES
async def test_from_no_tier_to_the_highest(session: AsyncSession, at: At, locale: str) -> None:
    await at(session, "2026-03-01T08:00+00:00")
    gift = await make_coupon(session)
    await make_programme(
        session,
        rules(
            tier("silver", "100"),
            tier("gold", "500", multiplier=Decimal("1.5"), monthly_coupon_id=gift.id, has_priority=True),
        ),
    )
    await make_reward(session, tiers=["gold"])
    await make_reward(session)
    async with member(session, locale) as chat:
        await chat.send(words(locale, "my tier", "等级"))
        chat.expects(words(locale, "no tier yet", "还没有等级"), "▱" * 10, words(locale, "Silver", "银卡"), "¥100")
        await _buy(session, chat.member_id, "140")
        await chat.send("/tier")
        chat.expects(words(locale, "You are Silver, since Mar 1", "你是 银卡 会员，自 3月1日起"), "▰▰▱▱▱▱▱▱▱▱")
        chat.expects(words(locale, "Another CN¥360 and you are Gold", "再有 ¥360 就升级为 金卡"))
        chat.expects(words(locale, "in 12 months", "近 12 个月"))
        await _buy(session, chat.member_id, "400.50")
        await chat.send("/tier")
        chat.expects(words(locale, "1.5 times the points", "消费积分 1.5 倍"), "▰" * 10, "¥540.50")
        chat.expects(words(locale, "coupon every month", "每月一张"), words(locale, "answer you first", "优先"))
        chat.expects(words(locale, "our highest tier", "最高等级"))
        chat.expects(words(locale, "1 reward that not everybody can have", "专属好礼 1 种"))
        chat.expects_not(words(locale, "birthday", "生日"))


@LOCALES
async def test_a_tier_at_risk(session: AsyncSession, at: At, locale: str) -> None:
    await at(session, "2025-03-01T08:00+00:00")
    await make_programme(session, rules(tier("silver", "100"), grace_days=20, at_risk_days=20))
    async with member(session, locale) as chat:
        await _buy(session, chat.member_id, "140")
        await at(session, "2026-03-05T08:00+00:00")
        await standings.evaluate(session, chat.member_id)
        await chat.send("/tier")
        chat.expects(
            "¥100", words(locale, "To stay Silver", "才能保住银卡"), words(locale, "until Mar 25", "3月25日前")
        )


@LOCALES
async def test_the_points_tell_how_far_it_is(session: AsyncSession, locale: str) -> None:
    async with member(session, locale) as chat:
        await chat.send("/points")
        chat.expects_not("▱")
        await make_programme(session, rules(tier("silver", "1000"), measure=Measure.POINTS, window=Window.LIFETIME))
        await give(session, chat.member_id, 150)
        await chat.send("/points")
        chat.expects("▰▰▱▱▱▱▱▱▱▱", words(locale, "750 points to Silver", "距 银卡 还差 750 积分"))
        await chat.tap(words(locale, "My tier", "我的等级"))
        chat.expects(words(locale, "250 points of 1,000 points", "250 积分 / 1,000 积分"))


@LOCALES
async def test_a_gift_and_no_programme(session: AsyncSession, at: At, locale: str) -> None:
    now = await at(session, "2026-03-01T08:00+00:00")
    async with member(session, locale) as chat:
        await chat.send("/tier")
        chat.expects(words(locale, "no tiers here yet", "目前还没有会员等级"))
        await make_programme(session)
        end = now + timedelta(days=5)
        await standings.grant(session, chat.member_id, "gold", until=end, reason="A good guest", by="operator:1")
        await chat.send("/tier")
        chat.expects(words(locale, "A gift from us, until Mar 6", "3月6日前有效"))
        chat.expects_not("A good guest")


async def test_a_stranger_signs_up_first(session: AsyncSession) -> None:
    async with stranger(session) as chat:
        await chat.send("/tier")
        chat.expects("Welcome")
