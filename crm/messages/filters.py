"""The filters that operators' templates may use: each is bounded, none calls back."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from typing import Any

from babel import Locale
from babel.dates import format_date, format_skeleton
from babel.numbers import format_currency, format_decimal
from jinja2 import pass_context
from jinja2.runtime import Context

_MOST_CHARACTERS = 1000
_MOST_MONEY = 10**15


@cache
def _parsed(name: str) -> Locale:
    return Locale.parse(name, sep="-")


def _locale(context: Context) -> Locale:
    """Parsed once: reading a name anew takes longer than the rest of a text."""
    return _parsed(str(context.get("locale", "en")))


@lru_cache(maxsize=512)
def _skeleton(skeleton: str, day: date, locale: Locale) -> str:
    return str(format_skeleton(skeleton, day, locale=locale))


@lru_cache(maxsize=4096)
def _decimal(value: float, locale: Locale) -> str:
    """Kept, because most numbers are small and come again: points, days."""
    return str(format_decimal(value, locale=locale))


@pass_context
def number(context: Context, value: Any) -> str:
    """A number with the separators of the reader's language."""
    return _decimal(value, _locale(context)) if isinstance(value, int | float) else str(value)


@pass_context
def plural(context: Context, value: Any, one: str, other: str) -> str:
    """The word for so many: `one` where the reader's language has the singular for this number, else `other`."""
    is_one = isinstance(value, int | float) and _locale(context).plural_form(abs(value)) == "one"
    return str(one if is_one else other)[:_MOST_CHARACTERS]


@pass_context
def money(context: Context, value: Any) -> str:
    """`¥9.90` by the text's value `currency`, whole amounts without decimals; what is no amount, as it is."""
    text = str(value)[:_MOST_CHARACTERS]
    try:
        amount = Decimal(text)
        if not abs(amount) < _MOST_MONEY:
            return text
    except ArithmeticError:
        return text
    skeleton = "¤#,##0" if amount == amount.to_integral_value() else None
    return str(
        format_currency(
            amount,
            str(context.get("currency", "CNY"))[:3],
            skeleton,
            locale=_locale(context),
            currency_digits=skeleton is None,
        )
    )


def _as_date(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            return value
    return value


@pass_context
def signed(context: Context, value: Any) -> str:
    """A number that always shows its sign."""
    shown = number(context, value)
    return f"+{shown}" if isinstance(value, int | float) and value > 0 else shown


@pass_context
def long_date(context: Context, value: Any) -> str:
    """A date in the reader's language; ISO text is read as a date."""
    day = _as_date(value)
    return format_date(day, format="long", locale=_locale(context)) if isinstance(day, date) else str(value)


@pass_context
def short_date(context: Context, value: Any) -> str:
    """Day and month in the reader's language."""
    day = _as_date(value)
    return _skeleton("MMMd", day, _locale(context)) if isinstance(day, date) else str(value)


@pass_context
def month(context: Context, value: Any) -> str:
    """Month and year in the reader's language."""
    day = _as_date(value)
    return _skeleton("yMMMM", day, _locale(context)) if isinstance(day, date) else str(value)


@pass_context
def localized(context: Context, value: Any) -> str:
    """Of a text by locale, the one in the reader's language, else in English, else in any."""
    if not isinstance(value, Mapping):
        return str(value)
    own = value.get(str(context.get("locale", "en")))
    return str(own or value.get("en") or next(iter(value.values()), ""))


def truncate(value: Any, length: int = 80) -> str:
    """The first `length` characters, with an ellipsis where something was cut."""
    text = str(value)
    most = max(1, min(int(length), _MOST_CHARACTERS))
    return text if len(text) <= most else text[: most - 1] + "…"


def upper(value: Any) -> str:
    """Upper case."""
    return str(value).upper()


def lower(value: Any) -> str:
    """Lower case."""
    return str(value).lower()


def title(value: Any) -> str:
    """Title Case."""
    return str(value).title()


def default(value: Any, fallback: Any = "") -> Any:
    """`fallback` where the value is missing or empty."""
    return fallback if value is None or value == "" or str(value) == "" else value


@pass_context
def join(context: Context, value: Any, separator: str = ", ") -> str:
    """The items of a list as text, each in the reader's language where it has several."""
    items = value if isinstance(value, list | tuple) else [value]
    return str(separator)[:20].join(localized(context, item) for item in items)


FILTERS: dict[str, Callable[..., Any]] = {
    "number": number,
    "signed": signed,
    "plural": plural,
    "money": money,
    "date": long_date,
    "day": short_date,
    "month": month,
    "localized": localized,
    "truncate": truncate,
    "upper": upper,
    "lower": lower,
    "title": title,
    "default": default,
    "join": join,
}
