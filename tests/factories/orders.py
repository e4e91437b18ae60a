"""Orders for tests."""

import secrets
from datetime import UTC, datetime
from decimal import Decimal

from crm.orders.types import NewOrder


def new_order(
    member_id: int,
    amount: str = "100.00",
    *,
    external_id: str | None = None,
    placed_at: datetime | None = None,
    status: str = "paid",
) -> NewOrder:
    """A paid order in the shipped brand's currency."""
    return NewOrder(
        member_id=member_id,
        external_id=external_id or secrets.token_hex(6),
        source="shop",
        amount=Decimal(amount),
        currency="CNY",
        placed_at=placed_at or datetime(2026, 1, 15, 8, tzinfo=UTC),
        status=status,
    )
