"""The console's two languages: sentences, dates, numbers."""

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.core import Locale, negotiate_locale
from babel.dates import format_date, format_datetime, format_timedelta
from babel.numbers import format_currency, format_decimal, format_percent
from fastapi import Request

from admin_api import cookies
from admin_api.console import composed
from crm.kit.resources import TEMPLATES

LOCALES = ("zh-CN", "en")
_FOLDER = TEMPLATES / "console" / "locale"
Translate = Callable[[str], str]


@cache
def catalogue(locale: str) -> Mapping[str, str]:
    """English sentence to sentence in `locale`: `<locale>.json`, and further files in the folder `<locale>`."""
    own = _FOLDER / locale
    return _read(_FOLDER / f"{locale}.json", *sorted(own.glob("*.json"))) | _composed(locale)


@cache
def translator(locale: str) -> Translate:
    """The function that pages call `_`; what has no translation stays English.

    Texts that were put together at run time are found by their templates in the folder `<locale>/composed`.
    """
    sentences = catalogue(locale)
    known = composed.templates(_composed(locale))

    def say(sentence: str) -> str:
        found = sentences.get(sentence)
        return composed.translated(sentence, known, say) if found is None else found

    return say


def _composed(locale: str) -> dict[str, str]:
    return _read(*sorted((_FOLDER / locale / "composed").glob("*.json")))


def _read(*paths: Path) -> dict[str, str]:
    sentences: dict[str, str] = {}
    for path in paths:
        if path.exists():
            sentences.update(json.loads(path.read_text(encoding="utf-8")))
    return sentences


def of_request(request: Request) -> str:
    """The language for somebody who is not signed in: the cookie's, else the browser's, else Chinese."""
    chosen = cookies.read(request, cookies.LOCALE)
    if chosen in LOCALES:
        return str(chosen)
    wanted = [part.partition(";")[0].strip() for part in request.headers.get("accept-language", "").split(",")]
    wanted = ["zh-CN" if tag.lower().startswith("zh") else tag for tag in wanted if tag]
    return negotiate_locale(wanted, list(LOCALES), sep="-") or LOCALES[0]


@lru_cache
def _babel(locale: str) -> Locale:
    return Locale.parse(locale, sep="-")


class Formats:
    """Formatting of one language in the brand's time zone and currency."""

    def __init__(self, locale: str, zone: str, currency: str) -> None:
        self._locale = _babel(locale)
        self._zone = ZoneInfo(zone)
        self._currency = currency

    def day(self, value: date | datetime | None) -> str:
        """A date, such as `3 Mar 2026`."""
        if isinstance(value, datetime):
            value = value.astimezone(self._zone).date()
        pattern = "y年M月d日" if self._locale.language == "zh" else "d MMM y"
        return "–" if value is None else format_date(value, pattern, self._locale)

    def short_day(self, value: date) -> str:
        """A date without its year, for the axis of a chart."""
        return format_date(value, "M月d日" if self._locale.language == "zh" else "d MMM", self._locale)

    def month(self, value: date) -> str:
        """A month with its year, such as `Mar 2026`."""
        return format_date(value, "y年M月" if self._locale.language == "zh" else "MMM y", self._locale)

    def moment(self, value: datetime | None) -> str:
        """Date and time to the minute."""
        if value is None:
            return "–"
        pattern = "y年M月d日 HH:mm" if self._locale.language == "zh" else "d MMM y, HH:mm"
        return format_datetime(value, pattern, self._zone, self._locale)

    def clock(self, value: datetime | None) -> str:
        """Hours and minutes."""
        return "–" if value is None else format_datetime(value, "HH:mm", self._zone, self._locale)

    def ago(self, value: datetime | None, now: datetime) -> str:
        """Such as `3 minutes ago`, or `in 2 hours` for the future."""
        if value is None:
            return "–"
        return format_timedelta(value - now, add_direction=True, locale=self._locale)

    def field(self, value: datetime | None) -> str:
        """As an input of type datetime-local holds it, in the brand's zone."""
        return "" if value is None else value.astimezone(self._zone).strftime("%Y-%m-%dT%H:%M")

    def number(self, value: float | Decimal | None) -> str:
        """Grouped digits."""
        return "–" if value is None else format_decimal(value, locale=self._locale)

    def percent(self, value: float | None) -> str:
        """A share between 0 and 1, with one decimal."""
        pattern = "#,##0.0%"
        return "–" if value is None else format_percent(value, pattern, self._locale)

    def money(self, value: Decimal | float | None, currency: str | None = None) -> str:
        """An amount in the brand's or the given currency."""
        return "–" if value is None else format_currency(value, currency or self._currency, locale=self._locale)
