"""A month drawn in monospace: the days that were checked in stand in brackets."""

import calendar
from collections.abc import Collection
from functools import lru_cache

_WEEKS = calendar.Calendar(firstweekday=calendar.MONDAY)


def draw(year: int, month: int, checked: Collection[int]) -> str:
    """Weeks as lines, Monday first, four characters a day; the weekday's names above are the template's."""
    return _drawn(year, month, frozenset(checked))


@lru_cache(maxsize=1024)
def _drawn(year: int, month: int, checked: frozenset[int]) -> str:
    """Kept, because on one day most members have the same few days behind them."""
    weeks = _WEEKS.monthdayscalendar(year, month)
    return "\n".join("".join(_cell(day, checked) for day in week).rstrip() for week in weeks)


def _cell(day: int, checked: frozenset[int]) -> str:
    if not day:
        return "    "
    return f"[{day:>2}]" if day in checked else f" {day:>2} "
