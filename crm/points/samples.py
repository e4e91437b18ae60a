"""Made-up events and profiles on which a formula is tried before it is saved. Pure."""

from collections.abc import Iterator
from dataclasses import MISSING, fields, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from crm.events.catalogue import CheckedIn, OrderPlaced
from crm.events.types import Event
from crm.points.facts import Situation
from crm.profiles.types import Profile, Stage

_AT = datetime(2026, 2, 28, 15, 59, tzinfo=UTC)
NO_ID = UUID(int=0)
"""The id of an event that never happened."""
_LEAST: dict[type, Any] = {
    int: 1,
    str: "",
    bool: False,
    Decimal: Decimal("0.01"),
    datetime: _AT,
    date: _AT.date(),
    UUID: UUID(int=1),
    list: [],
    dict: {},
}
_MOST: dict[type, Any] = {**_LEAST, int: 1000, str: "x" * 200, bool: True, Decimal: Decimal("99999.99")}
_GOODS: list[dict[str, Any]] = [
    {"sku": "A-1", "category": "tea", "quantity": 2, "amount": "40.00"},
    {"sku": None, "category": None, "quantity": 1, "amount": None},
]
FRESH = Profile(
    member_id=1,
    is_active=True,
    stage=Stage.LEAD,
    grade=None,
    tier=None,
    multiplier=Decimal(1),
    points_balance=0,
    streak=0,
    last_check_in_on=None,
    check_ins_count=0,
    orders_count=0,
    orders_total=Decimal(0),
    first_order_at=None,
    last_order_at=None,
    last_seen_at=None,
    signed_up_at=None,
    locale="en",
    tag_ids=[],
    first_source_id=None,
    last_source_id=None,
    joined_at=_AT,
    is_reachable=True,
)
"""A member of whom nothing is known yet."""
FAMILIAR = replace(
    FRESH,
    stage=Stage.LOYAL,
    grade="high",
    tier="gold",
    multiplier=Decimal("1.5"),
    points_balance=100_000,
    streak=400,
    last_check_in_on=_AT.date(),
    check_ins_count=900,
    orders_count=120,
    orders_total=Decimal("65000.50"),
    first_order_at=_AT,
    last_order_at=_AT,
    signed_up_at=_AT,
    tag_ids=[1, 2],
    segment_ids=[1],
)
"""A member who has been here for long."""


def situations(event: type[Event]) -> Iterator[tuple[str, Situation]]:
    """Situations of that event, each with words that say which it is."""
    for words, fact in _events(event):
        yield f"{words}, a new member", Situation(fact, FRESH, _AT)
        yield f"{words}, a loyal member", Situation(fact, FAMILIAR, _AT, birthday=date(1990, 2, 28))


def example(event: type[Event]) -> Event:
    """An ordinary event of that kind."""
    return list(_events(event))[-1][1]


def _events(kind: type[Event]) -> Iterator[tuple[str, Event]]:
    least, most = _made(kind, _LEAST), _made(kind, _MOST)
    yield "the smallest event", least
    yield "a large event", most
    if kind is CheckedIn:
        yield "a check-in on the 7th day", _made(kind, {**_LEAST, int: 7})
    if kind is OrderPlaced:
        yield (
            "an order of 100",
            OrderPlaced(member_id=1, order_id=1, amount=Decimal(100), currency="CNY", placed_at=_AT, items=[*_GOODS]),
        )


def _made(kind: type[Event], values: dict[type, Any]) -> Event:
    hints = get_type_hints(kind)
    named = [item for item in fields(kind) if item.name != "member_id"]
    has_default = {item.name for item in named if item.default is not MISSING or item.default_factory is not MISSING}
    given: dict[str, Any] = {
        item.name: _value(hints[item.name], values) for item in named if values is _MOST or item.name not in has_default
    }
    return kind(member_id=1, **given)


def _value(hint: Any, values: dict[type, Any]) -> Any:
    """A value of the annotated type; what may be empty is so in the smallest event."""
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        options = [item for item in get_args(hint) if item is not NoneType]
        return None if values is _LEAST else _value(options[0], values)
    return values[origin or hint]
