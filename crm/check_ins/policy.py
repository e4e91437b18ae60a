"""Pure decisions of check-ins: which dates follow one another, and when the next one counts."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MINIMUM_GAP = timedelta(hours=12)
"""Between two check-ins that count, however short the night was."""
_DAY = timedelta(days=1)


def is_civil(day: date, zone: ZoneInfo) -> bool:
    """Whether the date exists in the zone: Samoa went from 29 to 31 December 2011."""
    noon = datetime.combine(day, time(12), tzinfo=zone)
    return noon.astimezone(UTC).astimezone(zone).date() == day


def day_before(day: date, zone: ZoneInfo) -> date:
    """The last date before `day` that exists in the zone."""
    before = day - _DAY
    while not is_civil(before, zone):
        before -= _DAY
    return before


def start_of_day(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of `day` in the zone, UTC; of a day that begins inside a gap, the end of the gap."""
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def next_at(last_on: date, last_at: datetime, zone: ZoneInfo) -> datetime:
    """When the next check-in counts after one on `last_on` at `last_at`."""
    return max(start_of_day(last_on + _DAY, zone), last_at + MINIMUM_GAP)


@dataclass(frozen=True)
class Streak:
    """What a set of check-in dates amounts to."""

    last_on: date | None
    current: int
    """Length of the run that ends on `last_on`."""
    best: int
    total: int


def streak_of(days: Iterable[date], zone: ZoneInfo) -> Streak:
    """The streak that these dates make."""
    ordered = sorted(set(days))
    current = best = 0
    previous: date | None = None
    for day in ordered:
        current = current + 1 if previous is not None and previous >= day_before(day, zone) else 1
        best = max(best, current)
        previous = day
    return Streak(previous, current, best, len(ordered))
