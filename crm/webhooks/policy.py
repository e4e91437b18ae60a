"""Decisions about webhooks: when a message is tried again, when an endpoint is given up, what may be chosen."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from crm.kit.text import clean_text
from crm.webhooks.errors import InvalidEndpoint
from crm.webhooks.types import EVERY_KIND, DisabledReason

ADDRESS, SECRET, OLDER_SECRET = (f"webhook_endpoints.{part}" for part in ("address", "secret", "older_secret"))
"""The places that sealed values are bound to."""
_MINUTE, _HOUR = 60, 3600
DELAYS = (5, 30, 2 * _MINUTE, 10 * _MINUTE, _HOUR, 3 * _HOUR, 8 * _HOUR, 8 * _HOUR, 8 * _HOUR)
"""Seconds between the tries; after the last one a message is dead."""
MAX_TRIES = len(DELAYS) + 1
JITTER = 0.1
"""A delay is longer by up to this share, so that what failed together does not come back together."""
LONGEST_WAIT = 8 * _HOUR
"""Seconds that an endpoint may ask to be left alone, at most."""
GIVE_UP_AFTER = timedelta(hours=24)
MAX_ENDPOINTS = 50
LONGEST_OVERLAP = 7 * 24
"""Hours that two secrets may be in use side by side."""
_GONE = 410
_MAX_NAME = 64
_MAX_EXCERPT = 200


def next_delay(tries: int, chance: float, retry_after: float | None = None) -> timedelta | None:
    """How long to wait after failure number `tries`; None when that was the last try.

    `chance`, from 0 to 1, spreads it. An endpoint may ask for more, within limits, and never for less.
    """
    if tries >= MAX_TRIES:
        return None
    planned = DELAYS[tries - 1] * (1 + JITTER * chance)
    return timedelta(seconds=max(planned, min(retry_after or 0.0, LONGEST_WAIT)))


def verdict(status: int | None, failing_since: datetime, now: datetime) -> DisabledReason | None:
    """Why an endpoint is disabled after this failure; None when it is not."""
    if status == _GONE:
        return DisabledReason.GONE
    return DisabledReason.FAILING if now - failing_since >= GIVE_UP_AFTER else None


def parse_retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds that a Retry-After header asks for: a number or a date; None for anything else."""
    text = (value or "").strip()
    if text.isascii() and text.isdecimal():
        return float(text[:9])
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    aware = date if date.tzinfo else date.replace(tzinfo=UTC)
    return max(0.0, (aware - now).total_seconds())


def excerpt(body: bytes) -> str | None:
    """How an answer began, on one line."""
    text = clean_text(body[: 8 * _MAX_EXCERPT].decode("utf-8", "replace"))
    return " ".join(text.split())[:_MAX_EXCERPT] or None


def valid_name(name: str) -> str:
    """The name as it is kept. Raises InvalidEndpoint."""
    cleaned = " ".join(clean_text(name).split())
    if not cleaned or len(cleaned) > _MAX_NAME:
        raise InvalidEndpoint(f"A webhook needs a name of at most {_MAX_NAME} characters.")
    return cleaned


def valid_kinds(kinds: Iterable[str], known: Collection[str]) -> list[str]:
    """The kinds as they are kept. Raises InvalidEndpoint."""
    chosen = sorted(set(kinds))
    if EVERY_KIND in chosen:
        return [EVERY_KIND]
    if not chosen:
        raise InvalidEndpoint("Choose at least one kind of event, or all.")
    unknown = [kind for kind in chosen if kind not in known]
    if unknown:
        raise InvalidEndpoint(f"There is no kind of event {unknown[0][:40]!r}.")
    return chosen


def valid_overlap(hours: int) -> timedelta:
    """How long the secret before stays in use. Raises InvalidEndpoint."""
    if not 0 <= hours <= LONGEST_OVERLAP:
        raise InvalidEndpoint(f"The older secret can stay in use for 0 to {LONGEST_OVERLAP} hours.")
    return timedelta(hours=hours)
