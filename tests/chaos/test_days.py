"""Days as members live them: midnight, days of 23 and 25 hours, a date that does not exist, and zones that change."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.check_ins import service
from crm.members import service as members
from crm.members.types import MemberChanges
from runtime.demo_data.dice import Dice
from tests.chaos.sizes import SIZES
from tests.chaos.table import Row
from tests.conftest import At
from tests.factories.members import make_member

# Zone and a date around which its clocks or its calendar jump.
_JUMPS = (
    ("Europe/Berlin", date(2026, 3, 29)),
    ("Europe/Berlin", date(2026, 10, 25)),
    ("America/New_York", date(2026, 3, 8)),
    ("Pacific/Apia", date(2011, 12, 30)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("America/Havana", date(2026, 3, 8)),  # midnight itself does not exist
    ("Africa/Cairo", date(2026, 4, 24)),
    ("America/Santiago", date(2026, 9, 6)),
    ("Asia/Kathmandu", date(2026, 6, 1)),
    ("Pacific/Kwajalein", date(1993, 8, 21)),
    ("Antarctica/Troll", date(2026, 3, 29)),
    ("Asia/Gaza", date(2026, 3, 28)),
)
JUMPS = _JUMPS if SIZES.is_full else _JUMPS[:5]
HOPS = 15 if SIZES.is_full else 2
ZONES = ("Pacific/Kiritimati", "Etc/GMT+12", "Asia/Shanghai", "America/New_York", "Europe/Berlin", "Pacific/Apia")
_LONG_AGO = "1990-01-01T00:00Z"
_BEFORE, _AFTER = 3, 4
GAP = timedelta(hours=12)


def _civil_days(zone: ZoneInfo, around: date) -> list[date]:
    """The dates around a jump that exist in the zone."""
    days = [around + timedelta(days=shift) for shift in range(-_BEFORE, _AFTER + 1)]
    return [day for day in days if datetime.combine(day, time(12), zone).astimezone(UTC).astimezone(zone).date() == day]


async def _streaks(session: AsyncSession, at: At, zone: str, around: date, hour: time) -> list[int]:
    """The streak after a check-in at this local time on every day around the jump, and one more on each day."""
    await at(session, _LONG_AGO)
    member = await make_member(session)
    await members.change(session, member.id, MemberChanges(time_zone=zone), by="member")
    found = []
    for day in _civil_days(ZoneInfo(zone), around):
        moment = datetime.combine(day, hour, ZoneInfo(zone)).astimezone(UTC)
        await at(session, moment.isoformat())
        first = await service.check_in(session, member.id)
        await at(session, (moment + timedelta(milliseconds=1)).isoformat())
        again = await service.check_in(session, member.id)
        found.append(first.streak if first.is_new and not again.is_new else 0)
    return found


@pytest.mark.chaos_row(24)
async def test_days_of_odd_length(session: AsyncSession, at: At, row: Row) -> None:
    hours = (time(23, 59, 59), time(0, 0, 1), time(12))
    row.plan(
        "day boundary, DST of 23 h and 25 h, a date that is missing",
        done=f"daily check-ins around {len(JUMPS)} jumps of clock or calendar at {len(hours)} times of day, each twice",
        expected="every existing local date counts once, the streak never breaks or doubles",
        factor="clock moved",
    )
    broken, days = [], 0
    for zone, around in JUMPS:
        for hour in hours:
            streaks = await _streaks(session, at, zone, around, hour)
            days += len(streaks)
            if streaks != list(range(1, len(streaks) + 1)):
                broken.append((zone, str(hour), streaks))
    row.saw(f"{days} days, broken streaks {broken or 0}")
    assert broken == []


@pytest.mark.chaos_row(24)
async def test_midnight_itself(session: AsyncSession, at: At, row: Row) -> None:
    row.plan(
        "23:59:59.999 and 00:00:00 in the member's zone",
        done="a check-in at either side of midnight, and once 12 hours have passed",
        expected="two local dates; the second counts when 12 hours lie between",
        factor="clock moved",
    )
    await at(session, "2026-03-05T23:59:59.999+08:00")
    member = await make_member(session)
    before = await service.check_in(session, member.id)
    await at(session, "2026-03-06T00:00:00+08:00")
    early = await service.check_in(session, member.id)
    await at(session, "2026-03-06T11:59:59.999+08:00")
    later = await service.check_in(session, member.id)
    row.saw(f"{before.local_date} counts, {early.local_date} at 0:00 {early.is_new}, at noon {later.is_new}")
    assert (before.is_new, early.is_new, later.is_new, later.streak) == (True, False, True, 2)
    assert (before.local_date, early.local_date) == (date(2026, 3, 5), date(2026, 3, 6))


@pytest.mark.chaos_row(25)
async def test_hopping_zones(session: AsyncSession, at: At, row: Row, dice: Dice) -> None:
    row.plan(
        "member changes zone to check in again",
        done=f"{HOPS} members change zone every hour for three days and try after each change",
        expected="at least 12 h between awards, each local date once, so at most one award for each date there is",
        factor="clock moved",
    )
    too_soon, counted = [], []
    begin = datetime(2026, 3, 5, 10, 30, tzinfo=UTC)
    # From the date in the westernmost zone at the begin to that in the easternmost at the end: whoever went from one
    # to the other has lived through all of them, earlier than others, but each once.
    west, east = ZoneInfo("Etc/GMT+12"), ZoneInfo("Pacific/Kiritimati")
    dates = ((begin + timedelta(hours=71)).astimezone(east).date() - begin.astimezone(west).date()).days + 1
    for _ in range(HOPS):
        await at(session, _LONG_AGO)
        member = await make_member(session)
        at_times: list[datetime] = []
        for hour in range(72):
            moment = await at(session, (begin + timedelta(hours=hour)).isoformat())
            await members.change(session, member.id, MemberChanges(time_zone=dice.pick(ZONES)), by="member")
            if (await service.check_in(session, member.id)).is_new:
                at_times.append(moment)
        counted.append(len(at_times))
        too_soon += [second - first for first, second in pairwise(at_times) if second - first < GAP]
    row.saw(f"awards per member {sorted(set(counted))}, gaps below 12 h: {len(too_soon)}")
    assert too_soon == []
    assert max(counted) <= dates
