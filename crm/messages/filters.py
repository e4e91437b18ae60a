"""The filters that operators' templates may use: each is bounded, none calls back."""

from datetime import date, datetime
from typing import Any

from babel.dates import format_date
from babel.numbers import format_decimal
from jinja2 import pass_context
from jinja2.runtime import Context

_MOST_CHARACTERS = 1000


def _locale(context: Context) -> str:
    return str(context.get("locale", "en")).replace("-", "_")


@pass_context
def number(context: Context, value: Any) -> str:
    """A number with the separators of the reader's language."""
    return str(format_decimal(value, locale=_locale(context))) if isinstance(value, int | float) else str(value)


@pass_context
def long_date(context: Context, value: Any) -> str:
    """A date in the reader's language; ISO text is read as a date."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return value
    return format_date(value, format="long", locale=_locale(context)) if isinstance(value, date) else str(value)


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


def join(value: Any, separator: str = ", ") -> str:
    """The items of a list as text."""
    items = value if isinstance(value, list | tuple) else [value]
    return str(separator)[:20].join(str(item) for item in items)


FILTERS = {
    "number": number,
    "date": long_date,
    "truncate": truncate,
    "upper": upper,
    "lower": lower,
    "title": title,
    "default": default,
    "join": join,
}
