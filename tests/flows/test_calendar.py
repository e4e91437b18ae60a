"""The calendar, make-ups and the leaderboard in the chat."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.check_ins import cards, leaderboards, programmes
from crm.check_ins.types import Insurance, NewMilestone
from crm.points import service as points
from flows.steps.month import draw
from tests.conftest import At
from tests.factories.check_ins import allow, on_days
from tests.factories.members import make_member
from tests.factories.points import give
from tests.flows.talking import member, words

LOCALES = pytest.mark.parametrize("locale", ["en", "zh-CN"])


@LOCALES
async def test_paging_through_the_calendar(session: AsyncSession, at: At, locale: str) -> None:
    await at(session, "2025-12-30T09:00+08:00")
    async with member(session, locale) as chat:
        await chat.send("/checkin")
        assert chat.buttons == []
        await on_days(session, at, chat.member_id, 2, 3)
        await chat.send(words(locale, "calendar", "日历"))
        chat.expects(words(locale, "March 2026", "2026年3月"), "[ 2][ 3]")
        chat.expects(words(locale, "2 days in a row", "已连续签到 2 天"), words(locale, "so far: 3", "累计签到 3 天"))
        chat.expects_buttons("◀ 2026-02")
        await chat.tap("◀ 2026-02")
        chat.expects(words(locale, "February 2026", "2026年2月"))
        chat.expects_buttons("◀ 2026-01", "2026-03 ▶")
        await chat.tap("◀ 2026-01")
        await chat.tap("◀ 2025-12")
        chat.expects("[30]")
        chat.expects_buttons("2026-01 ▶")
        for wanted in ("2999-01", "0000-13", "<b>", "2026-3"):
            await chat.send(f"/calendar {wanted}")
            chat.expects(words(locale, "March 2026", "2026年3月"))


@LOCALES
async def test_filling_days_with_cards_that_are_bought(session: AsyncSession, at: At, locale: str) -> None:
    await allow(session, card_price=30, bought_per_month=2, make_ups_per_month=2, made_up_points=2)
    await programmes.add_milestone(session, NewMilestone(4, points=9, badge={"en": "Tea friend", "zh-CN": "茶友"}))
    async with member(session, locale) as chat:
        await on_days(session, at, chat.member_id, 1, 2, 4, 6)
        await chat.send("/calendar")
        await chat.tap(words(locale, "Fill missed days", "补签"))
        chat.expects(words(locale, "You missed 2 days", "你有 2 天漏签"), "30")
        balance = await points.balance(session, chat.member_id)
        if balance < 30:
            await give(session, chat.member_id, 60)
        before = await points.balance(session, chat.member_id)
        await chat.tap(words(locale, "Buy a card", "换一张"))
        chat.expects(words(locale, "You have 1 make-up card.", "你有 1 张补签卡"))
        await chat.tap(words(locale, "Mar 5", "3月5日"))
        chat.expects(words(locale, "it's 3 days in a row", "现在连续签到 3 天"))
        assert await points.balance(session, chat.member_id) == before - 28
        await cards.give_by_hand(session, chat.member_id, 2, reason="Hello", key="k", by="operator:1")
        await chat.tap(words(locale, "Another day", "再补一天"))
        await chat.tap(words(locale, "Mar 3", "3月3日"))
        chat.expects(
            words(locale, "it's 6 days in a row", "现在连续签到 6 天"), "🎁", words(locale, "Tea friend", "茶友")
        )
        chat.expects(words(locale, "Cards left: 1", "补签卡剩 1 张"))
        await chat.tap(words(locale, "Calendar", "签到日历"))
        chat.expects("( 3)[ 4]( 5)[ 6]", "🏅")
        await chat.send("/makeup")
        chat.expects(words(locale, "You missed no day", "一天都没漏"))


@LOCALES
async def test_why_nothing_can_be_filled(session: AsyncSession, at: At, locale: str) -> None:
    async with member(session, locale) as chat:
        await on_days(session, at, chat.member_id, 1, 4)
        await chat.send("/makeup")
        chat.expects(words(locale, "can't be filled in at the moment", "不支持补签"))
        await allow(session)
        await chat.send(words(locale, "make up", "补签"))
        chat.expects(words(locale, "You have no make-up card", "你现在没有补签卡"))
        await allow(session, card_price=10**6)
        await chat.send("/makeup")
        await chat.tap(words(locale, "Buy a card", "换一张"))
        chat.expects(words(locale, "not enough for a card", "还不够"))
        await allow(session, make_ups_per_month=0)
        await chat.send("/makeup")
        chat.expects(words(locale, "as many days as you can in a month", "次数用完了"))
        await allow(session)
        await cards.give_by_hand(session, chat.member_id, 1, reason="Hello", key="k", by="operator:1")
        await chat.send("/makeup")
        await at(session, "2026-03-20T09:00+08:00")
        await chat.tap(words(locale, "Mar 3", "3月3日"))
        chat.expects(words(locale, "too far back by now", "太久了"))
        assert await cards.held(session, chat.member_id) == 1


@LOCALES
async def test_a_saved_streak_and_a_milestone_are_told(session: AsyncSession, at: At, locale: str) -> None:
    await allow(session, insurance=Insurance.PASSES, passes_per_month=2)
    await programmes.add_milestone(session, NewMilestone(5, cards=1))
    async with member(session, locale) as chat:
        await on_days(session, at, chat.member_id, 1, 2, 3)
        await at(session, "2026-03-05T09:00+08:00")
        await chat.send("/checkin")
        chat.expects(words(locale, "Your streak was saved: 1 missed day was", "连签已保住"), "[ 3]( 4)[ 5]")
        chat.expects(words(locale, "🎁 5 days: 🃏 1 make-up card", "🎁 连签 5 天：🃏 补签卡 ×1"))
        await chat.tap(words(locale, "Calendar", "签到日历"))
        chat.expects(words(locale, "5 days in a row", "已连续签到 5 天"))


@LOCALES
async def test_joining_and_leaving_the_leaderboard(session: AsyncSession, at: At, locale: str) -> None:
    await allow(session, places=2)
    async with member(session, locale) as chat:
        await on_days(session, at, chat.member_id, 2, 3)
        other = await make_member(session)
        await on_days(session, at, other.id, 3, 4)
        await leaderboards.join(session, other.id, alias="<b>Tea & Co</b>")
        await chat.send(words(locale, "leaderboard", "排行榜"))
        chat.expects("🥇 <b>Tea & Co</b>", words(locale, "you haven't yet", "你还没有上榜"))
        await chat.tap(words(locale, "Join in", "我要上榜"))
        chat.expects(words(locale, "gone from the board at once", "立刻从榜上消失"))
        await chat.tap(words(locale, "Not at all", "算了"))
        chat.expects(words(locale, "you aren't shown to anybody", "你不会出现在榜上"))
        await chat.send("/leaderboard join")
        await chat.tap(words(locale, "By another name", "换个称呼"))
        await chat.send("Panda")
        chat.expects("🥇 <b>Tea & Co</b>", "🥇 Panda", words(locale, "(you)", "（你）"))
        chat.expects(words(locale, "Your place: 1 of 2, with 2", "第 1 名（共 2 人），2 天"))
        await chat.tap(words(locale, "Streaks", "连签"))
        chat.expects(words(locale, "Days in a row", "连签榜"))
        await chat.tap(words(locale, "Leave the board", "退出榜单"))
        chat.expects(words(locale, "any more", "别人看不到你了"))
        assert [place.name for place in (await leaderboards.show(session)).places] == ["<b>Tea & Co</b>"]
        await allow(session, has_leaderboard=False)
        await chat.tap(words(locale, "Leaderboard", "排行榜"))
        chat.expects(words(locale, "no leaderboard", "没有排行榜"))


def test_filled_days_stand_in_round_brackets() -> None:
    assert draw(2026, 2, [2, 5], [3]).splitlines()[1] == "[ 2]( 3)  4 [ 5]  6   7   8"
