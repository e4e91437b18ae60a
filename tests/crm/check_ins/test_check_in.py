"""The daily check-in: once a local day, with streaks, milestones and zones."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.check_ins import service
from crm.db.session import Sessions
from crm.events import relay
from crm.events import service as events
from crm.members import service as members
from crm.members.types import MemberChanges
from crm.points import service as points
from crm.profiles import service as profiles
from tests.conftest import At
from tests.factories.members import make_member
from tests.factories.points import assert_sound


async def test_the_first_check_in_counts_and_tells_everything(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-05T09:00+08:00")
    await points.ensure_defaults(session)
    member = await make_member(session)
    found = await service.check_in(session, member.id, channel="telegram")
    assert (found.is_new, found.local_date, found.streak, found.points, found.bonus) == (
        True,
        date(2026, 3, 5),
        1,
        5,
        0,
    )
    assert (found.milestone, found.balance, found.calendar, found.month, found.year) == (None, 5, [5], 3, 2026)
    assert found.next_at == datetime(2026, 3, 5, 16, tzinfo=UTC)
    profile = await profiles.get(session, member.id)
    assert (profile.streak, profile.last_check_in_on, profile.check_ins_count) == (1, date(2026, 3, 5), 1)
    fact = (await events.timeline(session, member.id, kinds=["checked_in"]))[0]
    assert fact.data == {"local_date": "2026-03-05", "streak": 1, "channel": "telegram"}


async def test_the_second_tap_of_a_day_changes_nothing(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-05T00:30+08:00")
    await points.ensure_defaults(session)
    member = await make_member(session)
    await service.check_in(session, member.id)
    await at(session, "2026-03-05T23:59:59.999+08:00")
    again = await service.check_in(session, member.id)
    assert (again.is_new, again.points, again.bonus, again.streak, again.balance) == (False, 0, 0, 1, 5)
    assert again.next_at == datetime(2026, 3, 5, 16, tzinfo=UTC)
    assert len(await events.timeline(session, member.id, kinds=["checked_in"])) == 1


async def test_seven_days_in_a_row_reach_the_milestone(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T08:00+08:00")
    await points.ensure_defaults(session)
    member = await make_member(session)
    results = []
    for day in range(1, 9):
        await at(session, f"2026-03-{day:02}T08:00+08:00")
        results.append(await service.check_in(session, member.id))
    assert [found.streak for found in results] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert [found.milestone for found in results] == [None] * 6 + [7, None]
    assert (results[6].points, results[6].bonus, results[6].balance) == (5, 30, 65)
    assert results[7].calendar == [1, 2, 3, 4, 5, 6, 7, 8]
    await assert_sound(session)


async def test_a_missed_day_starts_a_new_streak(session: AsyncSession, at: At) -> None:
    member = None
    for day, streak in ((1, 1), (2, 2), (4, 1), (5, 2)):
        await at(session, f"2026-03-{day:02}T08:00+08:00")
        member = member or await make_member(session)
        assert (await service.check_in(session, member.id)).streak == streak


async def test_midnight_of_the_member_decides_but_twelve_hours_must_lie_between(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-05T23:59:59.999+08:00")
    member = await make_member(session)
    assert (await service.check_in(session, member.id)).is_new
    await at(session, "2026-03-06T00:00:00+08:00")
    early = await service.check_in(session, member.id)
    assert not early.is_new
    assert early.next_at == datetime(2026, 3, 6, 3, 59, 59, 999000, tzinfo=UTC)
    await at(session, "2026-03-06T11:59:59.999+08:00")
    assert (await service.check_in(session, member.id)).streak == 2


@pytest.mark.parametrize(
    ("zone", "moments"),
    [
        ("Europe/Berlin", ["2026-03-28T20:00Z", "2026-03-29T20:00Z", "2026-03-30T20:00Z"]),
        ("Europe/Berlin", ["2026-10-24T20:00Z", "2026-10-25T20:00Z", "2026-10-26T20:00Z"]),
        ("Pacific/Apia", ["2011-12-29T00:00Z", "2011-12-30T00:00Z", "2011-12-30T20:00Z"]),
    ],
)
async def test_changes_of_clocks_and_a_missing_date_break_no_streak(
    session: AsyncSession, at: At, zone: str, moments: list[str]
) -> None:
    await at(session, "2011-01-01T00:00Z")
    member = await make_member(session)
    await members.change(session, member.id, MemberChanges(time_zone=zone), by="member")
    streaks = []
    for moment in moments:
        await at(session, moment)
        streaks.append((await service.check_in(session, member.id)).streak)
    assert streaks == [1, 2, 3]


async def test_changing_the_zone_does_not_give_a_second_day(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T00:00Z")
    member = await make_member(session)
    await members.change(session, member.id, MemberChanges(time_zone="Pacific/Kiritimati"), by="member")
    first = await at(session, "2026-03-05T10:30Z")
    assert (await service.check_in(session, member.id)).local_date == date(2026, 3, 6)
    await members.change(session, member.id, MemberChanges(time_zone="Etc/GMT+12"), by="member")
    counted = []
    for hours in range(1, 60):
        await at(session, (first + timedelta(hours=hours)).isoformat())
        found = await service.check_in(session, member.id)
        if found.is_new:
            counted.append((hours, found.local_date, found.streak))
    assert counted == [(50, date(2026, 3, 7), 2)]


async def test_the_relay_gives_nothing_a_second_time(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        await points.ensure_defaults(session)
        member = await make_member(session)
        await service.check_in(session, member.id)
    assert await relay.relay_all(sessions) >= 1
    async with sessions() as session:
        assert await points.balance(session, member.id) == 5
        await assert_sound(session)


async def test_the_calendar_shows_a_streak_only_while_it_runs(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-05T09:00+08:00")
    member = await make_member(session)
    assert (await service.calendar(session, member.id)).streak == 0
    await service.check_in(session, member.id)
    await at(session, "2026-03-06T09:00+08:00")
    found = await service.calendar(session, member.id)
    assert (found.days, found.today, found.streak, found.total) == ([5], 6, 1, 1)
    await at(session, "2026-03-07T09:00+08:00")
    assert (await service.calendar(session, member.id)).streak == 0
