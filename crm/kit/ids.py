"""Identifiers that sort by time and tokens that cannot be guessed."""

import itertools
import secrets
from datetime import datetime
from uuid import UUID

_COUNTER_BITS, _RANDOM_BITS = 30, 44
_RANDOM_BYTES = -(-_RANDOM_BITS // 8)
_counter = itertools.count(secrets.randbits(_COUNTER_BITS - 2))


def uuid7(at: datetime) -> UUID:
    """A version 7 UUID (RFC 9562, section 5.7) whose first 48 bits are `at` in milliseconds.

    A counter follows (section 6.2, method 1), so that what one process makes for the same moment, such as the
    events of one transaction, keeps its order.
    """
    milliseconds = int(at.timestamp() * 1000) & (1 << 48) - 1
    random = int.from_bytes(secrets.token_bytes(_RANDOM_BYTES)) >> _RANDOM_BYTES * 8 - _RANDOM_BITS
    noise = next_number() << _RANDOM_BITS | random
    value = milliseconds << 80 | 0x7 << 76 | (noise >> 62) << 64 | 0b10 << 62 | noise & (1 << 62) - 1
    return UUID(int=value)


def next_number() -> int:
    """The number behind the time of an id, for ids that the database makes."""
    return next(_counter) & (1 << _COUNTER_BITS) - 1


def skip_numbers(many: int) -> None:
    """Go on behind `many` ids that the database made, so that later ones of this process come after them."""
    next(itertools.islice(_counter, many, many), None)


def token(prefix: str = "", *, size: int = 32) -> str:
    """URL-safe secret of `size` random bytes (256 bit by default) behind a readable prefix."""
    return prefix + secrets.token_urlsafe(size)
