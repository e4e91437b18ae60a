"""Values that are valid JSON for Python and yet could not be asked of PostgreSQL."""

import math
from typing import Any

_BIGGEST = 2**63


def faults(values: dict[str, Any], path: str) -> tuple[str, str] | None:
    """Where in the parameters the first such value is, and what is wrong with it; None when all is well."""
    waiting: list[tuple[str, Any]] = [(f"{path}.{name}", value) for name, value in values.items()]
    while waiting:
        place, value = waiting.pop()
        wrong = _fault(value)
        if wrong:
            return place, wrong
        if isinstance(value, dict):
            waiting += [(place, part) for pair in value.items() for part in pair]
        elif isinstance(value, list):
            waiting += [(f"{place}.{number}", part) for number, part in enumerate(value)]
    return None


def _fault(value: Any) -> str | None:
    match value:
        case str() if "\x00" in value or any("\ud800" <= character <= "\udfff" for character in value):
            return "A text cannot have NUL or half a character in it."
        case float() if not math.isfinite(value):
            return "A number must be finite."
        case int() if not -_BIGGEST <= value < _BIGGEST:
            return "The number is too large."
    return None
