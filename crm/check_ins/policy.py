"""Pure decisions of check-ins: which dates follow one another, and when the next one counts."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from crm.check_ins.types import DayKind

MINIMUM_GAP = timedelta(hours=12)
"""Between two check-ins that count, however short the night was."""
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Day:
    """A day that counts, in the zone that was the member's."""

    on: date
    at: datetime
    """When they checked in, or when the day was filled."""
    zone: ZoneInfo
    kind: DayKind = DayKind.CHECKED_IN

    @property
    def is_real(self) -> bool:
        """Whether the member checked in on it."""
        return self.kind is DayKind.CHECKED_IN


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


def missed(before: Day, today: date, zone: ZoneInfo) -> list[date]:
    """Dates between `before` and `today` on which the member could have checked in, ascending.

    Not among them: dates that the zone skipped, and one that a change of zone left no time for. A member who goes
    from UTC-12 to UTC+14 at midnight finds the next date over already.
    """
    found = []
    day = day_before(today, zone)
    while day > before.on:
        found.append(day)
        day = day_before(day, zone)
    if found and before.zone.key != zone.key:
        free_again = start_of_day(before.on + _DAY, before.zone)
        if before.is_real:
            free_again = max(free_again, before.at + MINIMUM_GAP)
        if start_of_day(found[-1] + _DAY, zone) <= free_again:
            found.pop()
    return found[::-1]


@dataclass(frozen=True)
class Streak:
    """What a set of days amounts to."""

    last_on: date | None
    current: int
    """Length of the run that ends on `last_on`."""
    best: int
    total: int
    """Check-ins; days that were filled are not among them."""
    run: tuple[date, ...]
    """The days of the run that ends on `last_on`, ascending."""


def streak_of(days: Iterable[Day]) -> Streak:
    """The streak that these days make."""
    ordered = sorted({day.on: day for day in days}.values(), key=lambda day: day.on)
    best, run = 0, list[date]()
    previous: Day | None = None
    for day in ordered:
        if previous is None or missed(previous, day.on, day.zone):
            run = []
        run.append(day.on)
        best = max(best, len(run))
        previous = day
    total = sum(day.is_real for day in ordered)
    return Streak(run[-1] if run else None, len(run), best, total, tuple(run))


def reached(day: int, *, is_repeated: bool, before: int, after: int) -> list[int]:
    """Lengths in (before, after] at which a milestone of `day` days is reached, ascending."""
    lengths = range(day, after + 1, day) if is_repeated else range(day, day + 1)
    return [length for length in lengths if before < length <= after]


def due(day: int, *, is_repeated: bool, before: int, after: int, given: Collection[int]) -> list[int]:
    """Lengths for which the milestone is still to be given, when within this very run it was given at `given`.

    Filling a day may join two runs, of which each had reached it: then no day counts for it twice.
    """
    possible = after // day if is_repeated else min(1, after // day)
    crossed = reached(day, is_repeated=is_repeated, before=before, after=after)
    crossed = [length for length in crossed if length not in given]
    room = max(0, possible - len(given))
    return crossed[len(crossed) - min(room, len(crossed)) :]


def is_running(last_on: date, today: date, zone: ZoneInfo) -> bool:
    """Whether a streak that ends on `last_on` can still be continued today."""
    return last_on >= day_before(today, zone)


def fillable(days: Iterable[Day], today: date, zone: ZoneInfo, days_back: int) -> list[date]:
    """Missed dates within reach, the latest first: before today and after the member's first check-in."""
    ordered = sorted(days, key=lambda day: day.on)
    first = earliest(today, days_back)
    ends = [(day.on, day.zone) for day in ordered[1:]] + [(today, zone)]
    found: list[date] = []
    for before, (until, its_zone) in zip(ordered, ends, strict=False):  # without any day there is one end too many
        if until > first:
            found += [day for day in missed(before, until, its_zone) if day >= first]
    return found[::-1]


def earliest(today: date, days_back: int) -> date:
    """The first date within reach."""
    return today - timedelta(days=days_back)


def month_of(day: date) -> tuple[date, date]:
    """The first and the last day of the month."""
    following = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return day.replace(day=1), following - _DAY
