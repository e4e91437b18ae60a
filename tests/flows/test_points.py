from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.points import earning_rules, holds, pending
from crm.points import service as points
from flows.engine.buttons import start_data
from tests.conftest import At
from tests.factories.members import make_member
from tests.flows.talking import member, stranger, words


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
async def test_balance_expiry_entries_and_ways(session: AsyncSession, at: At, locale: str) -> None:
    await at(session, "2026-03-10T23:30+00:00")
    async with member(session, locale) as chat:
        soon = await clock.now(session) + timedelta(days=10)
        await points.earn(session, chat.member_id, 1200, rule="survey", key="a", expires_at=soon)
        await points.redeem(session, chat.member_id, 30, reason="<b>A tea</b> " + "x" * 100, key="b")
        await points.adjust(session, chat.member_id, -5, reason="wrong cup", key="c", by="operator:1")
        await chat.send(words(locale, "⭐ Points", "积分"))
        balance = await points.balance(session, chat.member_id)
        chat.expects(f"{balance:,}", "+1,200", "-30", "<b>A tea</b>", "…", "wrong cup")
        chat.expects(words(locale, "Mar 11", "3月11日"), words(locale, "welcome gift", "见面礼"))
        chat.expects(words(locale, "expire on Mar 21", "3月21日到期"), words(locale, "How to earn", "怎么攒积分"))
        chat.expects_buttons(words(locale, "Check in", "签到"), words(locale, "Surveys", "填问卷"))
        await chat.tap(words(locale, "Check in", "签到"))
        chat.expects(words(locale, "Checked in!", "签到成功"))


async def test_what_is_owed_is_said(session: AsyncSession) -> None:
    async with member(session) as chat:
        given = await points.earn(session, chat.member_id, 50, rule="survey", key="a")
        balance = await points.balance(session, chat.member_id)
        await points.redeem(session, chat.member_id, balance, reason="a tea", key="b")
        await points.reverse(session, given.transaction_id, reason="a mistake", key="c")
        await chat.send("/points")
        chat.expects("You have 0 points", "50 will be set off")


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
async def test_what_is_pending_and_set_aside_is_said(session: AsyncSession, at: At, locale: str) -> None:
    now = await at(session, "2026-03-10T23:30+00:00")
    async with member(session, locale) as chat:
        later = now + timedelta(days=10)
        await points.earn(session, chat.member_id, 50, rule="survey", key="a")
        await pending.earn(session, chat.member_id, 1200, rule="order_rate", key="b", activates_at=later)
        await pending.earn(session, chat.member_id, 7, rule="referral", key="c")
        await holds.hold(session, chat.member_id, 40, reason="order 7", key="d", until=later)
        await chat.send("/points")
        chat.expects(words(locale, "1,200 pending, yours to spend from Mar 21", "1,200 积分待生效，3月21日可用"))
        chat.expects(words(locale, "7 pending", "7 积分待生效"), words(locale, "40 set aside", "40 积分已预留"))
        await holds.void(session, "d")
        await pending.activate(session, "b")
        await chat.send("/points")
        chat.expects("+1,200", words(locale, "no longer set aside", "退回预留"))
        chat.expects_not("🔒")


async def test_a_stranger_is_led_through_sign_up_first(session: AsyncSession) -> None:
    async with stranger(session, "zh-CN") as chat:
        await chat.send("/points")
        chat.expects("欢迎来到")
        await chat.tap("以后再说")
        chat.expects("没关系")
        chat.expects_not("积分。")


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
async def test_new_ways_to_earn_are_told(session: AsyncSession, locale: str) -> None:
    told = {"en": "Tea & cake: twice the points <today>", "zh-CN": "茶点双倍 <今天>"}
    goods = {"points": 10, "per_amount": 100, "categories": ["tea"]}
    await earning_rules.create(session, kind="purchase", name="Tea", parameters=goods)
    await earning_rules.create(session, kind="review", name="Review", parameters={"points": 8, "needs_picture": True})
    await earning_rules.create(
        session, kind="custom_event", name="Cake", parameters={"points": 1, "event_name": "cake"}, terms={"told": told}
    )
    async with member(session, locale) as chat:
        await chat.send("/points")
        chat.expects(words(locale, "For every CN¥100 you spend on tea: 10 points", "购买tea，每消费 ¥100，得 10 积分"))
        chat.expects(words(locale, "Write a review with a picture: 8 points", "发表带图评价，得 8 积分"))
        chat.expects(told[locale])


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
async def test_the_statement_goes_back_page_by_page(session: AsyncSession, at: At, locale: str) -> None:
    await at(session, "2025-12-20T09:00+08:00")
    async with member(session, locale) as chat:
        await chat.send(words(locale, "statement", "积分明细"))
        chat.expects("+100", words(locale, "welcome gift", "见面礼"))
        for number in range(12):
            await points.earn(session, chat.member_id, 1000 + number, rule="survey", key=f"survey {number}")
        await at(session, "2026-01-05T09:00+08:00")
        await points.redeem(session, chat.member_id, 30, reason="<b>A tea</b>", key="tea")
        await chat.send("/points")
        await chat.tap(words(locale, "All entries", "全部明细"))
        chat.expects("-30", "<b>A tea</b>", "+1,011", "+1,003", words(locale, "Dec 20, 2025", "2025年12月20日"))
        chat.expects_not("+1,002")
        await chat.tap(words(locale, "Older", "更早的"))
        chat.expects("+1,002", "+1,000", "+100", "→ 100 ")
        chat.expects_not("+1,003")
        await chat.tap(words(locale, "My points", "我的积分"))
        chat.expects("12,136")


@pytest.mark.parametrize("forged", ["0", "9" * 30, "-1", "x", "1"])
async def test_a_forged_place_in_the_statement_shows_ones_own_entries_or_none(
    session: AsyncSession, forged: str
) -> None:
    async with member(session) as chat:
        other = await make_member(session)
        await points.earn(session, other.id, 777, rule="survey", key="other")
        await chat.tap_data(start_data("statement", forged))
        chat.expects_not("777")
        chat.expects_buttons("My points")
