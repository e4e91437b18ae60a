"""What a formula can ask about: the event, its order, the member's profile, the local time, the birthday. Pure."""

import calendar
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from crm.events.catalogue import OrderPlaced
from crm.events.types import Event
from crm.profiles.types import Profile

MAX_ITEMS = 200
"""Entries of a list that a formula sees; what lies behind is left out."""
_UTC = ZoneInfo("UTC")
_FEBRUARY, _LEAP_DAY = 2, 29


@dataclass(frozen=True)
class Situation:
    """What one event is judged by."""

    event: Event
    profile: Profile
    at: datetime
    """When it happened."""
    zone: ZoneInfo = _UTC
    """The brand's."""
    birthday: date | None = None
    """The member's, when some rule asks for it."""

    @property
    def local(self) -> datetime:
        """The brand's wall clock."""
        return self.at.astimezone(self.zone)


def values(situation: Situation, points: int, names: frozenset[str]) -> dict[str, Any]:
    """The values of these names; `points` is what the rule's kind gives by itself."""
    found: dict[str, Any] = {name: make(situation) for name, make in _MAKERS.items() if name in names}
    if "points" in names:
        found["points"] = points
    return found


def days_to_birthday(birthday: date, today: date) -> int:
    """Days to the nearest birthday, below zero when it has just been. 29 February falls on the 28th in other years."""
    near = [_birthday_in(birthday, today.year + years) - today for years in (-1, 0, 1)]
    return min(near, key=abs).days


def _birthday_in(birthday: date, year: int) -> date:
    is_leap_day = (birthday.month, birthday.day) == (_FEBRUARY, _LEAP_DAY)
    day = _LEAP_DAY - 1 if is_leap_day and not calendar.isleap(year) else birthday.day
    return date(year, birthday.month, day)


def _event(situation: Situation) -> dict[str, Any]:
    known = {name: value for name, value in vars(situation.event).items() if name not in {"member_id", "items"}}
    return {"kind": situation.event.kind, **{name: _plain(value) for name, value in known.items()}}


def _order(situation: Situation) -> dict[str, Any]:
    event = situation.event
    if not isinstance(event, OrderPlaced):
        return {}
    items = [_item(item) for item in event.items[:MAX_ITEMS]]
    return {"amount": float(event.amount), "currency": event.currency, "items": items, "quantity": _sum(items)}


def _item(item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "sku": item.get("sku") or "",
        "category": item.get("category") or "",
        "quantity": int(item.get("quantity") or 1),
        "amount": float(item.get("amount") or 0),
    }


def _sum(items: list[dict[str, Any]]) -> int:
    return sum(item["quantity"] for item in items)


def _profile(situation: Situation) -> dict[str, Any]:
    profile = situation.profile
    return {
        "stage": str(profile.stage),
        "grade": profile.grade or "",
        "tier": profile.tier or "",
        "multiplier": float(profile.multiplier),
        "points_balance": profile.points_balance,
        "streak": profile.streak,
        "check_ins_count": profile.check_ins_count,
        "orders_count": profile.orders_count,
        "orders_total": float(profile.orders_total),
        "days_since_order": _days_since(profile.last_order_at, situation.at),
        "days_since_sign_up": _days_since(profile.signed_up_at, situation.at),
        "locale": profile.locale,
        "tags": profile.tag_ids,
        "segments": profile.segment_ids,
        "source": profile.first_source_id or 0,
    }


def _days_since(moment: datetime | None, at: datetime) -> int:
    return -1 if moment is None else max((at - moment) // timedelta(days=1), 0)


def _now(situation: Situation) -> dict[str, Any]:
    local = situation.local
    names = ("year", "month", "day", "hour", "minute")
    return {
        **{name: getattr(local, name) for name in names},
        "weekday": local.isoweekday(),
        "date": local.date().isoformat(),
    }


def _birthday(situation: Situation) -> dict[str, Any]:
    today, birthday = situation.local.date(), situation.birthday
    days = 0 if birthday is None else days_to_birthday(birthday, today)
    known = birthday is not None
    is_month = birthday is not None and birthday.month == today.month
    return {"is_known": known, "is_today": known and days == 0, "is_this_month": is_month, "days_away": days}


def _plain(value: Any) -> Any:
    """As CEL knows it: decimals as its decimals, times in UTC, dates and ids as texts, long lists cut."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value[:MAX_ITEMS]]
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    return value if value is None or isinstance(value, str | int | float) else str(value)


_MAKERS: dict[str, Callable[[Situation], dict[str, Any]]] = {
    "event": _event,
    "order": _order,
    "profile": _profile,
    "now": _now,
    "birthday": _birthday,
}
