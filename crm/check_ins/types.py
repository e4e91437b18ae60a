"""Public values of check-ins."""

from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True)
class CheckInResult:
    """What a tap on check-in did; `is_new` False means that the day was checked in before."""

    is_new: bool
    local_date: date
    """Today in the member's time zone."""
    streak: int
    """Days in a row, with today when it counts."""
    points: int
    """Points for the day; 0 when it was checked in before."""
    bonus: int
    """Points for the streak, on top."""
    milestone: int | None
    """The streak that earned the bonus."""
    balance: int
    next_at: datetime
    """When the next check-in counts, aware UTC."""
    calendar: list[int]
    """Days of this month with a check-in."""
    month: int
    year: int


@dataclass(frozen=True)
class CheckInCalendar:
    """A member's month at a glance."""

    year: int
    month: int
    today: int
    days: list[int]
    """Days with a check-in."""
    streak: int
    """Days in a row that still run: the last was today or the day before."""
    total: int
