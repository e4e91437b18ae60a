"""Pure decisions of points: bounds, keys, expiry."""

import calendar
from datetime import datetime, timedelta

from crm.points.errors import InvalidPostingKey, InvalidReason, PointsOutOfRange
from crm.points.types import MAX_POINTS

MAX_KEY = 200
MAX_REASON = 200
MAX_MONTHS = 120
SOON = timedelta(days=90)
"""How far ahead a summary tells what expires."""


def check_points(points: int) -> int:
    """`points` when it is a whole number from 1 to 1,000,000,000. Raises PointsOutOfRange."""
    if type(points) is not int or not 1 <= points <= MAX_POINTS:
        raise PointsOutOfRange(points=points)
    return points


def check_adjustment(points: int) -> int:
    """`points` when its size is from 1 to 1,000,000,000, either sign. Raises PointsOutOfRange."""
    if type(points) is not int or not 1 <= abs(points) <= MAX_POINTS:
        raise PointsOutOfRange(
            "an adjustment must be a whole number between 1 and 1000000000, with a minus to take away", points=points
        )
    return points


def check_key(key: str) -> str:
    """`key` when it can name a posting. Raises InvalidPostingKey."""
    if not 1 <= len(key) <= MAX_KEY or "\x00" in key:
        raise InvalidPostingKey
    return key


def check_reason(reason: str) -> str:
    """`reason` on one line. Raises InvalidReason."""
    cleaned = " ".join(reason.replace("\x00", "").encode("utf-8", "replace").decode().split())
    if not 1 <= len(cleaned) <= MAX_REASON:
        raise InvalidReason
    return cleaned


def months_later(at: datetime, months: int | None) -> datetime | None:
    """The same day and time `months` calendar months on, or the month's last day; None stays None (never)."""
    if months is None:
        return None
    year, month = divmod(at.year * 12 + at.month - 1 + months, 12)
    day = min(at.day, calendar.monthrange(year, month + 1)[1])
    return at.replace(year=year, month=month + 1, day=day)
