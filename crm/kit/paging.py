"""Pages of long lists: keyset cursors, opaque to whoever holds them."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from crm.kit.errors import InvalidError

T = TypeVar("T")
R = TypeVar("R")
MAX_LIMIT = 200


class InvalidCursor(InvalidError):
    """The cursor is not one that this list gave out; start again without a cursor."""


class InvalidLimit(InvalidError):
    """The limit must be between 1 and 200."""


@dataclass(frozen=True)
class Page(Generic[T]):
    """Some items of a list, and the cursor of what follows (None at the end)."""

    items: list[T]
    next_cursor: str | None = None


def encode_cursor(*values: str | int) -> str:
    """The sort key of the last item shown, as opaque text."""
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, *kinds: type[str] | type[int]) -> tuple[Any, ...]:
    """The values that `encode_cursor` was given, checked against their `kinds`. Raises InvalidCursor."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        values = json.loads(base64.b64decode(padded.encode("ascii"), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise InvalidCursor from error
    if not isinstance(values, list) or [type(value) for value in values] != list(kinds):
        raise InvalidCursor
    if any(isinstance(value, int) and not -(2**63) <= value < 2**63 for value in values):
        raise InvalidCursor
    return tuple(values)


def check_limit(limit: int) -> int:
    """`limit` when it is between 1 and `MAX_LIMIT`. Raises InvalidLimit."""
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidLimit(f"the limit must be between 1 and {MAX_LIMIT}", limit=limit)
    return limit


def page_of(
    rows: Sequence[R], limit: int, item: Callable[[R], T], key: Callable[[R], tuple[str | int, ...]]
) -> Page[T]:
    """A page from at most `limit` + 1 fetched rows: one more than shown means that there is a next page."""
    shown = rows[:limit]
    following = encode_cursor(*key(shown[-1])) if len(rows) > limit else None
    return Page([item(row) for row in shown], following)
