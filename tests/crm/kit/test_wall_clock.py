"""What the clock on the wall shows, as moments: also on the days on which it jumps."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from crm.kit.wall_clock import moment_of


@pytest.mark.parametrize(
    ("zone", "local", "utc"),
    [
        ("Asia/Shanghai", "2026-03-29T02:30", "2026-03-28T18:30"),
        ("Europe/Berlin", "2026-03-29T01:59:59", "2026-03-29T00:59:59"),
        ("Europe/Berlin", "2026-03-29T02:00", "2026-03-29T01:00"),
        ("Europe/Berlin", "2026-03-29T02:30", "2026-03-29T01:00"),
        ("Europe/Berlin", "2026-03-29T02:59:59.999999", "2026-03-29T01:00"),
        ("Europe/Berlin", "2026-03-29T03:00", "2026-03-29T01:00"),
        ("America/New_York", "2026-11-01T01:30", "2026-11-01T05:30"),
        ("America/New_York", "2026-11-01T02:00", "2026-11-01T07:00"),
        ("Australia/Lord_Howe", "2026-10-04T02:10", "2026-10-03T15:30"),
        ("America/Havana", "2026-03-08T00:15", "2026-03-08T05:00"),
        ("Pacific/Apia", "2011-12-30T12:00", "2011-12-30T10:00"),
    ],
)
def test_a_time_that_comes_twice_is_the_first_and_one_that_is_left_out_the_end_of_the_gap(
    zone: str, local: str, utc: str
) -> None:
    expected = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert moment_of(datetime.fromisoformat(local), ZoneInfo(zone)) == expected
