"""Text fields of forms as the values that they stand for."""

from datetime import UTC, datetime

from admin_api.edge import Edge
from crm.brand import service as brands
from crm.kit.errors import InvalidError
from crm.kit.wall_clock import moment_of

_YEARS = range(1970, 9000)


class WrongMomentError(InvalidError):
    """A time looks like 2026-03-01 08:00."""


class WrongNumberError(InvalidError):
    """A whole number is wanted here."""


class NothingChosenError(InvalidError):
    """Choose one from the list."""


async def moment(edge: Edge, text: str) -> datetime | None:
    """A datetime-local field, in the brand's zone, as UTC; None for an empty one. Raises WrongMomentError.

    A time that comes twice in autumn is the first of both; one that is left out in spring is the end of the gap.
    """
    if not text.strip():
        return None
    try:
        local = datetime.fromisoformat(text.strip())
    except ValueError as wrong:
        raise WrongMomentError from wrong
    if local.year not in _YEARS:
        raise WrongMomentError
    zone = await brands.zone(edge.session)
    return local.astimezone(UTC) if local.tzinfo else moment_of(local, zone)


def whole(text: str, default: int = 0) -> int:
    """The number of a field, `default` for an empty one. Raises WrongNumberError."""
    cleaned = text.strip()
    if not cleaned:
        return default
    if not cleaned.removeprefix("-").isdecimal() or len(cleaned) > 10:  # noqa: PLR2004 - fits every column
        raise WrongNumberError
    return int(cleaned)


def chosen(text: str) -> int:
    """The id that was chosen from a list. Raises NothingChosenError."""
    if not (text.isascii() and text.isdecimal() and 1 <= len(text) <= 18):  # noqa: PLR2004 - fits a BIGINT
        raise NothingChosenError
    return int(text)
