"""What a valid brand is."""

import hashlib
import json
import re
from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from babel.numbers import list_currencies

from crm.brand.errors import (
    InvalidBrandError,
    InvalidOriginError,
    UnknownCurrencyError,
    UnknownLocaleError,
    UnknownTimeZoneError,
)
from crm.brand.types import Brand, Shortfall
from crm.kit.localized import LOCALES
from crm.kit.text import clean_name, clean_text

_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:\d{1,5})?", re.IGNORECASE | re.ASCII)
_MAX_TERMS = 4000
_MAX_CAP_DAYS = 365
_MAX_POINT_VALUE = Decimal(1_000_000)
_SMALLEST_POINT_VALUE = Decimal("0.000001")


@cache
def _known() -> tuple[frozenset[str], frozenset[str]]:
    """Time zones and currencies; asking for them walks a database each time."""
    return frozenset(available_timezones()), frozenset(list_currencies())


def versioned(brand: Brand) -> Brand:
    """A valid brand with the version of its terms; unlike `changed` it loads no lists of zones and currencies."""
    return replace(brand, terms_version=_version(brand.terms))


def changed(brand: Brand, fields: dict[str, Any]) -> Brand:
    """`brand` with `fields` applied and checked. Raises a subclass of InvalidError."""
    result = replace(brand, **fields)
    name = clean_name(result.name)
    if not name:
        raise InvalidBrandError("The brand needs a name.")
    zones, currencies = _known()
    if result.time_zone not in zones:
        raise UnknownTimeZoneError
    if result.currency not in currencies:
        raise UnknownCurrencyError
    if not result.locales or not set(result.locales) <= set(LOCALES) or result.default_locale not in result.locales:
        raise UnknownLocaleError
    _check_outreach(result)
    if result.points_shortfall not in set(Shortfall):
        raise InvalidBrandError(f"Points that were spent and are taken back become one of {', '.join(Shortfall)}.")
    _check_point_value(result.point_value)
    terms = _checked_terms(result)
    shortfall = Shortfall(result.points_shortfall)
    return replace(result, name=name, terms=terms, terms_version=_version(terms), points_shortfall=shortfall)


def _check_outreach(brand: Brand) -> None:
    for origin in brand.embed_origins:
        if not _ORIGIN.fullmatch(origin):
            raise InvalidOriginError(f"{origin!r} is no origin; an origin looks like https://shop.example.")
    if brand.quiet_hours and (brand.quiet_hours.start.tzinfo or brand.quiet_hours.end.tzinfo):
        raise InvalidBrandError("Quiet hours are in each member's own time zone; give them without an offset.")
    if brand.quiet_hours and brand.quiet_hours.start == brand.quiet_hours.end:
        raise InvalidBrandError("Quiet hours need different start and end times.")
    cap = brand.frequency_cap
    if cap and (cap.limit < 1 or not 1 <= cap.days <= _MAX_CAP_DAYS):
        raise InvalidBrandError(f"A frequency cap is at least 1 message in 1 to {_MAX_CAP_DAYS} days.")


def _check_point_value(value: Decimal | None) -> None:
    if value is None:
        return
    is_amount = value.is_finite() and 0 < value <= _MAX_POINT_VALUE
    if not is_amount or value % _SMALLEST_POINT_VALUE:
        raise InvalidBrandError(
            "What a point is worth is an amount above 0, at most 1000000, with at most six decimals."
        )


def _checked_terms(brand: Brand) -> dict[str, str]:
    terms = {locale: clean_text(text).strip() for locale, text in brand.terms.items()}
    if any(len(text) > _MAX_TERMS for text in terms.values()):
        raise InvalidBrandError(f"The terms may have {_MAX_TERMS} characters at most.")
    if set(brand.locales) - {locale for locale, text in terms.items() if text}:
        raise InvalidBrandError("The terms are needed in each of the brand's languages.")
    return terms


def _version(terms: dict[str, str]) -> str:
    digest = hashlib.sha256(json.dumps(terms, sort_keys=True, ensure_ascii=False).encode())
    return digest.hexdigest()[:12]
