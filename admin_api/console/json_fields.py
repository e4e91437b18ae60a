"""Values that a script of ours put as JSON into a form's hidden field; whoever posts may have written anything."""

import json
from typing import Any

from crm.kit.errors import InvalidError

MOST_CHARACTERS = 200_000
_DEEPEST = 40


class UnreadableFieldError(InvalidError):
    """The page sent something that cannot be read; load it again and repeat what you did."""


def read(text: str) -> Any:
    """The JSON value. Raises UnreadableFieldError for what is no JSON, nested too deep, or cannot be stored."""
    try:
        value = json.loads(text, parse_constant=_refuse)
        text.encode()
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as wrong:
        raise UnreadableFieldError from wrong
    if "\\u0000" in json.dumps(value) or _depth(value) > _DEEPEST:
        raise UnreadableFieldError
    return value


def read_or(text: str, fallback: Any) -> Any:
    """The value for showing a form again; `fallback` when it cannot be read."""
    try:
        return read(text)
    except UnreadableFieldError:
        return fallback


def _refuse(name: str) -> Any:
    raise ValueError(name)


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, inner), default=0)
