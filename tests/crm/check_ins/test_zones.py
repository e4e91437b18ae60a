"""Members who move between time zones: a streak is neither broken through no fault of theirs nor doubled."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncSession

from crm.check_ins import cards, filling, policy, repository, service
from crm.check_ins.errors import DayNotMissed
from crm.check_ins.policy import Day
from crm.members import merging
from crm.members import service as members
from crm.members.types import MemberChanges
from tests.conftest import At
from tests.factories.check_ins import allow
from tests.factories.members import make_member

WEST, EAST = "Etc/GMT+12", "Pacific/Kiritimati"


async def _streaks(session: AsyncSession, at: At, member_id: int, *moments: str) -> list[int]:
    found = []
    for moment in moments:
        await at(session, moment)
        found.append((await service.check_in(session, member_id)).streak)
    return found


@pytest.mark.parametrize(
    ("before", "after", "moments"),
    [
        (WEST, EAST, ["2026-03-04T13:00Z", "2026-03-05T20:00Z", "2026-03-06T20:00Z"]),  # the 6th is over at once
        ("America/Los_Angeles", "Asia/Tokyo", ["2026-03-05T07:30Z", "2026-03-06T07:50Z", "2026-03-06T20:00Z"]),
        ("Asia/Tokyo", "America/Los_Angeles", ["2026-03-04T13:00Z", "2026-03-05T13:00Z", "2026-03-06T17:00Z"]),
        (EAST, WEST, ["2026-03-04T11:00Z", "2026-03-05T11:00Z", "2026-03-07T12:30Z"]),
        ("Pacific/Pago_Pago", "Pacific/Apia", ["2026-03-05T10:00Z", "2026-03-06T10:30Z", "2026-03-06T23:00Z"]),
        ("America/New_York", "Europe/Berlin", ["2026-03-27T22:00Z", "2026-03-28T22:00Z", "2026-03-29T21:00Z"]),
    ],
)
async def test_a_move_after_the_second_day_keeps_the_streak(
    session: AsyncSession, at: At, before: str, after: str, moments: list[str]
) -> None:
    await at(session, "2026-03-01T00:00Z")
    member = await make_member(session)
    await members.change(session, member.id, MemberChanges(time_zone=before), by="member")
    first = await _streaks(session, at, member.id, *moments[:2])
    await members.change(session, member.id, MemberChanges(time_zone=after), by="member")
    assert first + await _streaks(session, at, member.id, *moments[2:]) == [1, 2, 3]
    days = await repository.all_days(session, member.id)
    assert policy.streak_of(days).current == 3


async def test_a_day_that_a_move_swallowed_cannot_be_filled(session: AsyncSession, at: At) -> None:
    await allow(session)
    await at(session, "2026-03-01T00:00Z")
    member = await make_member(session)
    await members.change(session, member.id, MemberChanges(time_zone=WEST), by="member")
    await _streaks(session, at, member.id, "2026-03-05T20:00Z")
    await members.change(session, member.id, MemberChanges(time_zone=EAST), by="member")
    assert await _streaks(session, at, member.id, "2026-03-06T20:00Z") == [2]
    await cards.give_by_hand(session, member.id, 1, reason="Hello", key="k", by="operator:1")
    assert (await filling.offered(session, member.id)).days == []
    with pytest.raises(DayNotMissed):
        await filling.make_up(session, member.id, date(2026, 3, 6))


async def test_a_move_excuses_no_day_that_was_missed(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T00:00Z")
    member = await make_member(session)
    await members.change(session, member.id, MemberChanges(time_zone="Europe/Berlin"), by="member")
    await _streaks(session, at, member.id, "2026-03-04T09:00Z")
    await members.change(session, member.id, MemberChanges(time_zone="Asia/Tokyo"), by="member")
    assert await _streaks(session, at, member.id, "2026-03-06T01:00Z") == [1]


async def test_a_skipped_date_is_no_missed_day(session: AsyncSession, at: At) -> None:
    await allow(session, days_back=5)
    await at(session, "2011-12-01T00:00Z")
    member = await make_member(session)
    await members.change(session, member.id, MemberChanges(time_zone="Pacific/Apia"), by="member")
    assert await _streaks(session, at, member.id, "2011-12-28T20:00Z", "2011-12-30T20:00Z") == [1, 1]
    assert (await filling.offered(session, member.id)).days == [date(2011, 12, 29)]
    await cards.give_by_hand(session, member.id, 1, reason="Hello", key="k", by="operator:1")
    assert (await filling.make_up(session, member.id, date(2011, 12, 29))).streak == 3
    other = await make_member(session)
    merge = await merging.merge(session, other.id, member.id, by="operator:1")
    assert (await service.calendar(session, other.id)).streak == 3  # each day by the zone that it was counted in
    await merging.undo(session, merge, by="operator:1")


@given(
    start=st.integers(
        int(datetime(2009, 1, 1, tzinfo=UTC).timestamp()), int(datetime(2030, 1, 1, tzinfo=UTC).timestamp())
    ),
    zone=st.sampled_from(["Asia/Shanghai", "America/New_York", "Pacific/Apia", "Africa/Cairo", "America/Sao_Paulo"]),
    hours=st.lists(st.integers(12, 40), min_size=1, max_size=15),
)
def test_checking_in_as_soon_as_it_counts_never_breaks_a_streak(start: int, zone: str, hours: list[int]) -> None:
    """Whoever comes as soon as the next check-in counts, or any time later that local day, misses nothing."""
    local = ZoneInfo(zone)
    first = datetime.fromtimestamp(start, UTC)
    days = [Day(first.astimezone(local).date(), first, local)]
    for more in hours:
        last = days[-1]
        soonest = policy.next_at(last.on, last.at, local)
        end = policy.start_of_day(soonest.astimezone(local).date() + timedelta(days=1), local)
        at = min(max(soonest, last.at + timedelta(hours=more)), end - timedelta(seconds=1))
        days.append(Day(at.astimezone(local).date(), at, local))
    streak = policy.streak_of(days)
    assert streak.current == len({day.on for day in days}) == len(days)
