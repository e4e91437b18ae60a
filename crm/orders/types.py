"""Public values of orders."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class OrderStatus(StrEnum):
    """Where an order stands; only a paid one counts."""

    PAID = "paid"
    REFUNDED = "refunded"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class OrderItem:
    """One line of an order."""

    name: str
    quantity: int = 1
    amount: Decimal | None = None
    sku: str | None = None
    category: str | None = None


@dataclass(frozen=True)
class NewOrder:
    """An order as the shop reports it; `source` and `external_id` together identify it."""

    member_id: int
    external_id: str
    source: str
    amount: Decimal
    """Net paid, after coupons, at most two decimals."""
    currency: str
    placed_at: datetime
    items: list[OrderItem] = field(default_factory=list)
    status: OrderStatus | str = OrderStatus.PAID


@dataclass(frozen=True)
class Order:
    """A recorded order."""

    id: int
    member_id: int
    external_id: str
    source: str
    amount: Decimal
    currency: str
    placed_at: datetime
    items: list[OrderItem]
    status: OrderStatus
    created_at: datetime
    refunded: Decimal = Decimal(0)
    """What was returned of the amount so far; the order is `refunded` when nothing is left."""
    is_new: bool = False
    """Whether this very call recorded it."""


@dataclass(frozen=True)
class Refund:
    """A return of money for an order, and the order after it."""

    order: Order
    amount: Decimal
    is_new: bool
    """Whether this very call returned it; the same key again has no second effect."""
