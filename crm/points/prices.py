"""Amounts of money as members read them in what rules say."""

from decimal import Decimal

from babel import Locale
from babel.numbers import format_currency


def priced(amount: Decimal, currency: str, locale: str) -> str:
    """An amount as it is read in `locale`: `¥100`, `CN¥9.90`; whole ones without decimals.

    The sentence around it is English in every language but Chinese, and so is the amount.
    """
    locale = locale if locale == "zh-CN" else "en"
    is_whole = amount == amount.to_integral_value()
    pattern = "¤#,##0" if is_whole else None
    return str(format_currency(amount, currency, pattern, Locale.parse(locale, sep="-"), currency_digits=not is_whole))
