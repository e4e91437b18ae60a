"""Members' own zones and days in set-based SQL, and which of their days are anniversaries."""

from typing import Any

from sqlalchemy import ColumnElement, and_, case, extract, literal_column, or_

LEAP_DAY, BEFORE_LEAP_DAY, AFTER_LEAP_DAY = 229, 228, 301
"""As `month_and_day` writes them; the others are the neighbours in years without it."""


def own_zone(member: Any, now: Any) -> ColumnElement[Any]:
    """The zone that the member's days are counted in at `now`, NULL where it is the brand's.

    `member` are columns of `views.members` or of an alias of it.
    """
    return case((member.zone_changes_at <= now, member.next_time_zone), else_=member.time_zone)


def month_and_day(value: Any) -> ColumnElement[Any]:
    """301 for 1 March, written as the indexes over birthdays and sign-ups are."""
    return extract("month", value) * literal_column("100") + extract("day", value)


def is_anniversary(born: ColumnElement[Any], day: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether `day` is one of `born`; that of 29 February is kept on the 28th in years without it."""
    is_moved = and_(
        month_and_day(born) == LEAP_DAY,
        month_and_day(day) == BEFORE_LEAP_DAY,
        month_and_day(day + 1) == AFTER_LEAP_DAY,
    )
    return or_(month_and_day(born) == month_and_day(day), is_moved)
