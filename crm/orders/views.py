"""What set-based SQL of other capabilities may read of orders."""

from sqlalchemy import select

from crm.orders.models import OrderRow

orders = select(
    OrderRow.id,
    OrderRow.member_id,
    (OrderRow.amount - OrderRow.refunded).label("amount"),
    OrderRow.currency,
    OrderRow.placed_at,
    OrderRow.status,
).subquery("orders_view")
"""id, member_id, amount (less what was returned), currency, placed_at, status."""
