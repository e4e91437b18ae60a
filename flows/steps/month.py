"""A month drawn in monospace: days with a check-in stand in brackets, those that were filled in round ones."""

import calendar
from collections.abc import Collection
from functools import lru_cache

_WEEKS = calendar.Calendar(firstweekday=calendar.MONDAY)


def draw(year: int, month: int, checked: Collection[int], filled: Collection[int] = ()) -> str:
    """Weeks as lines, Monday first, four characters a day; the weekday's names above are the template's."""
    return _drawn(year, month, frozenset(checked), frozenset(filled))


@lru_cache(maxsize=1024)
def _drawn(year: int, month: int, checked: frozenset[int], filled: frozenset[int]) -> str:
    """Kept, because on one day most members have the same few days behind them."""
    weeks = _WEEKS.monthdayscalendar(year, month)
    return "\n".join("".join(_cell(day, checked, filled) for day in week).rstrip() for week in weeks)


def _cell(day: int, checked: frozenset[int], filled: frozenset[int]) -> str:
    if not day:
        return "    "
    if day in checked:
        return f"[{day:>2}]"
    return f"({day:>2})" if day in filled else f" {day:>2} "
