"""How values are kept in the log: so that what PostgreSQL gives back is what was hashed."""

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from crm.kit.text import clean_text


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
    if not math.isfinite(value):
        return str(value)
    exact = Decimal(str(value))
    if exact != exact.to_integral_value():
        return float(value)
    return int(exact) if abs(exact) < 10**300 else str(value)
