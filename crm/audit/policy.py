"""How values are kept in the log: so that what PostgreSQL gives back is what was hashed."""

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from crm.kit.text import clean_text

_HUGE = 10**300


def plain(value: Any) -> Any:
    """`value` as JSON that PostgreSQL keeps unchanged: no NUL, whole numbers as such, all else as text."""
    match value:
        case None | bool():
            return value
        case int() | float():
            return _number(value)
        case str():
            return clean_text(value)
        case Mapping():
            return {clean_text(str(key)): plain(part) for key, part in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(part) for part in (sorted(value, key=str) if isinstance(value, set | frozenset) else value)]
        case _:
            return clean_text(str(value))


def _number(value: float) -> Any:
    """PostgreSQL writes 1e22 and -0.0 its own way, and knows neither infinity nor integers of any length."""
    if isinstance(value, int):
        return value if abs(value) < _HUGE else hex(value)
    if not math.isfinite(value):
        return str(value)
    exact = Decimal(str(value))
    return int(exact) if exact == exact.to_integral_value() and abs(exact) < _HUGE else _plain_float(value)


def _plain_float(value: float) -> float | str:
    return str(value) if abs(value) >= _HUGE else value
