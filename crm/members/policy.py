"""Pure decisions about members: phones, e-mail, masks, languages and time zones."""

import re
from datetime import UTC, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from crm.members.errors import InvalidEmail, UnknownTimeZone

TAIL_DIGITS = 4
_MASK = "****"
_MAX_EMAIL = 254
_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]{1,64}@(?:[^@\s.\x00-\x1f\x7f]{1,63}\.)+[^@\s.\x00-\x1f\x7f]{2,63}")
_REGIONS = {"CNY": "CN", "HKD": "HK", "TWD": "TW", "SGD": "SG", "JPY": "JP", "KRW": "KR", "GBP": "GB", "USD": "US"}


def region_of(currency: str) -> str | None:
    """The country that a phone typed without a country code is read in, by the brand's currency."""
    return _REGIONS.get(currency)


def phone_tail(phone: str) -> str:
    """The last digits, by which somebody may be found who tells no more of a phone."""
    return phone[-TAIL_DIGITS:]


def normal_email(email: str) -> str:
    """`email` trimmed and in lower case, for storing and for looking up. Raises InvalidEmail."""
    email = email.strip().lower()
    if len(email) > _MAX_EMAIL or not _EMAIL.fullmatch(email):
        raise InvalidEmail
    return email


def masked_phone(phone: str) -> str:
    """An E.164 phone as a colleague may see it: `138****8000`, other countries `+44****0123`."""
    tail = phone_tail(phone)
    head = phone[3:6] if phone.startswith("+86") else phone[:3]
    return f"{head}{_MASK}{tail}"


def masked_email(email: str) -> str:
    """An e-mail address as a colleague may see it: `a****@example.org`."""
    name, _, domain = email.partition("@")
    return f"{name[:1]}{_MASK}@{domain}"


def locale_for(hint: str | None, locales: list[str], default: str) -> str:
    """The brand's language that fits a channel's hint such as `zh-hans` or `en-GB`, else the default."""
    language = (hint or "").replace("_", "-").split("-")[0].lower()
    return next((locale for locale in locales if language and locale.split("-")[0].lower() == language), default)


@cache
def _zone_names() -> frozenset[str]:
    """Asking for them walks the whole time zone database, every time."""
    return frozenset(available_timezones())


def known_zone(name: str) -> ZoneInfo:
    """The zone of an IANA name. Raises UnknownTimeZone."""
    if name not in _zone_names():
        raise UnknownTimeZone(f"the time zone {name[:64]!r} is not known; use an IANA name such as Asia/Shanghai")
    return ZoneInfo(name)


def zone_in_force(zone: str | None, following: str | None, changes_at: datetime | None, now: datetime) -> str | None:
    """The name of the zone at `now`, given one that comes into force at `changes_at`."""
    return following if changes_at is not None and now >= changes_at else zone


def next_midnight(zone: ZoneInfo, now: datetime) -> datetime:
    """The start of the next local day, in UTC."""
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), zone).astimezone(UTC)
