"""Pure decisions about orders: what a valid one is."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from crm.kit.text import clean_text
from crm.orders.errors import InvalidOrder
from crm.orders.types import NewOrder, OrderItem, OrderStatus

MAX_ID, MAX_REFUNDS = 128, 100
_MAX_ITEMS, _MAX_NAME = 200, 200
_MAX_AMOUNT, _CENTS = Decimal(10) ** 12, Decimal("0.01")
_EARLIEST_YEAR = 1990
_CLOCK_SKEW = timedelta(hours=1)


def checked(order: NewOrder, currency: str, now: datetime) -> NewOrder:
    """`order` cleaned, when it is valid for a brand of this currency. Raises InvalidOrder."""
    if order.currency != currency:
        raise InvalidOrder(f"orders are in {currency}, the brand's currency")
    if order.placed_at.tzinfo is None:
        raise InvalidOrder("the time of an order needs its offset from UTC, such as 2026-03-01T08:00:00+08:00")
    if order.placed_at > now + _CLOCK_SKEW or order.placed_at.year < _EARLIEST_YEAR:
        raise InvalidOrder(f"the time of an order lies between the year {_EARLIEST_YEAR} and now")
    if len(order.items) > _MAX_ITEMS:
        raise InvalidOrder(f"an order has at most {_MAX_ITEMS} items")
    return replace(
        order,
        external_id=_text(order.external_id, "number"),
        source=_text(order.source, "source"),
        amount=money(order.amount),
        items=[_item(item) for item in order.items],
        status=_status(order.status),
    )


def money(amount: Decimal) -> Decimal:
    """`amount` with two decimals. Raises InvalidOrder when it is negative, too large or finer than that."""
    if not is_money(amount):
        raise InvalidOrder("an amount is a number from 0 to 999999999999.99 with at most two decimals")
    return amount.quantize(_CENTS)


def is_money(amount: Decimal) -> bool:
    """Whether it is an amount that an order can have, with at most two decimals."""
    return amount.is_finite() and 0 <= amount < _MAX_AMOUNT and amount == amount.quantize(_CENTS)


def _text(value: str, what: str) -> str:
    cleaned = clean_text(value).strip()
    if not cleaned or len(cleaned) > MAX_ID:
        raise InvalidOrder(f"the {what} of an order is a text of 1 to {MAX_ID} characters")
    return cleaned


def _item(item: OrderItem) -> OrderItem:
    name = clean_text(item.name).strip()[:_MAX_NAME]
    if not name or item.quantity < 1:
        raise InvalidOrder("an item has a name and a quantity of at least 1")
    sku = clean_text(item.sku).strip()[:MAX_ID] if item.sku else None
    category = clean_text(item.category).strip()[:MAX_ID] if item.category else None
    return OrderItem(name, item.quantity, None if item.amount is None else money(item.amount), sku, category or None)


def _status(status: str) -> OrderStatus:
    try:
        return OrderStatus(status)
    except ValueError as error:
        raise InvalidOrder(f"an order is one of {', '.join(OrderStatus)}") from error
