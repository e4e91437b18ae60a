import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.members import service as members
from crm.members.types import MemberChanges
from crm.points import service as points
from flows.steps.month import draw
from tests.conftest import At
from tests.flows.talking import member, words


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
async def test_once_a_day_with_the_month_drawn(session: AsyncSession, at: At, locale: str) -> None:
    await at(session, "2026-03-10T09:30+08:00")
    async with member(session, locale) as chat:
        before = await points.balance(session, chat.member_id)
        await chat.send(words(locale, "Check in", "签到"))
        chat.expects("+5", words(locale, "March 2026", "2026年3月"), "  9 [10] 11 ", str(before + 5))
        await chat.send(words(locale, "📅 Check in", "📅 签到"))
        chat.expects(words(locale, "Come back in 14 h 30 min", "14 小时 30 分钟后再来"))
        chat.expects_not("+5")
        await chat.send("/checkin")
        assert await points.balance(session, chat.member_id) == before + 5


async def test_a_streak_grows_is_rewarded_and_breaks(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T08:00+08:00")
    async with member(session) as chat:
        for day in range(1, 8):
            await at(session, f"2026-03-{day:02}T09:00+08:00")
            await chat.send("/checkin")
        chat.expects("+5", "a bonus of +30", "7 days in a row", "[ 1]", "[ 7]")
        await at(session, "2026-03-08T09:00+08:00")
        await chat.send("/checkin")
        chat.expects("8 days in a row")
        chat.expects_not("bonus")
        await at(session, "2026-03-20T09:00+08:00")
        await chat.send("/checkin")
        chat.expects("Day 1 of a new streak")


async def test_the_day_is_the_members_own(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-10T20:00+00:00")
    async with member(session) as chat:
        await members.change(session, chat.member_id, MemberChanges(time_zone="America/New_York"), by="test")
        await at(session, "2026-03-12T20:00+00:00")
        await chat.send("/checkin")
        chat.expects("[12]")
        await at(session, "2026-03-13T03:30+00:00")
        await chat.send("/checkin")
        chat.expects("already checked in", "Come back in")


def test_a_month_is_drawn_in_weeks_from_monday() -> None:
    assert draw(2026, 2, [1, 28]).splitlines() == [
        "                        [ 1]",
        "  2   3   4   5   6   7   8",
        "  9  10  11  12  13  14  15",
        " 16  17  18  19  20  21  22",
        " 23  24  25  26  27 [28]",
    ]
    assert len(draw(2027, 2, []).splitlines()) == 4
    assert max(len(line) for line in draw(2026, 3, range(1, 32)).splitlines()) == 28
