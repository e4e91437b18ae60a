"""Dates that follow one another, and when the next check-in counts."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.check_ins import policy
from crm.check_ins.policy import Day

APIA = ZoneInfo("Pacific/Apia")


def _days(days: list[date], zone: ZoneInfo) -> list[Day]:
    """Check-ins at noon."""
    return [Day(day, datetime.combine(day, time(12), zone), zone) for day in days]


def test_a_date_that_a_zone_skipped_does_not_count_as_a_day() -> None:
    assert not policy.is_civil(date(2011, 12, 30), APIA)
    assert policy.day_before(date(2011, 12, 31), APIA) == date(2011, 12, 29)
    days = [date(2011, 12, 28), date(2011, 12, 29), date(2011, 12, 31)]
    assert policy.streak_of(_days(days, APIA)).current == 3
    assert policy.streak_of(_days(days, ZoneInfo("Asia/Shanghai"))).current == 1


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        (date(2026, 3, 29), "Europe/Berlin", 23),
        (date(2026, 10, 25), "Europe/Berlin", 25),
        (date(2026, 6, 1), "Asia/Shanghai", 24),
        (date(2018, 11, 4), "America/Sao_Paulo", 23),  # midnight itself is skipped
    ],
)
def test_days_of_23_and_25_hours(day: date, zone: str, hours: int) -> None:
    local = ZoneInfo(zone)
    length = policy.start_of_day(day + timedelta(days=1), local) - policy.start_of_day(day, local)
    assert length == timedelta(hours=hours)


def test_the_next_check_in_is_at_the_next_day_but_not_within_twelve_hours() -> None:
    zone = ZoneInfo("Asia/Shanghai")
    morning = datetime(2026, 3, 1, 1, tzinfo=UTC)
    assert policy.next_at(date(2026, 3, 1), morning, zone) == datetime(2026, 3, 1, 16, tzinfo=UTC)
    night = datetime(2026, 3, 1, 15, 50, tzinfo=UTC)
    assert policy.next_at(date(2026, 3, 1), night, zone) == datetime(2026, 3, 2, 3, 50, tzinfo=UTC)


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ([], (None, 0, 0, 0)),
        ([1], (date(2026, 5, 1), 1, 1, 1)),
        ([1, 2, 3, 5, 6], (date(2026, 5, 6), 2, 3, 5)),
        ([6, 5, 5, 4], (date(2026, 5, 6), 3, 3, 3)),
    ],
)
def test_a_streak_is_made_of_dates_in_a_row(days: list[int], expected: tuple[date | None, int, int, int]) -> None:
    found = policy.streak_of(_days([date(2026, 5, day) for day in days], ZoneInfo("UTC")))
    assert (found.last_on, found.current, found.best, found.total) == expected


@given(
    day=st.dates(date(1990, 1, 1), date(2036, 1, 1)),
    zone=st.sampled_from(
        ["Asia/Shanghai", "America/New_York", "Pacific/Apia", "Pacific/Kiritimati", "Africa/Cairo", "Asia/Beirut"]
    ),
)
def test_every_date_begins_after_the_one_before(day: date, zone: str) -> None:
    local = ZoneInfo(zone)
    before = policy.day_before(day, local)
    start, end = policy.start_of_day(before, local), policy.start_of_day(day, local)
    assert before < day
    assert start < end
    last = (end - timedelta(microseconds=1)).astimezone(local).date()
    assert not policy.is_civil(day, local) or last == before
