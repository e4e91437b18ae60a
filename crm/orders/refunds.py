"""Returns of money for an order, whole or in parts: the order, the profile's statistics, and the announcement."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.events.loyalty import OrderRefunded
from crm.events.service import publish
from crm.members import service as members
from crm.orders import service, statistics
from crm.orders.errors import (
    InvalidRefund,
    OrderNotFound,
    OrderNotPaid,
    OrderRefundedBefore,
    RefundKeyReused,
    RefundTooLarge,
    TooManyRefunds,
)
from crm.orders.models import OrderKeyRow, OrderRow
from crm.orders.policy import MAX_ID, MAX_REFUNDS, is_money
from crm.orders.types import OrderStatus, Refund


async def refund(
    session: AsyncSession, source: str, external_id: str, *, amount: Decimal | None = None, key: str
) -> Refund:
    """Return `amount` of what was paid for the order, or all that is left of it; once per `key`.

    Orders, totals and points follow: a part returned counts off the profile's total, a whole one off its orders too.
    Raises OrderNotFound, OrderNotPaid, OrderRefundedBefore, RefundTooLarge, RefundKeyReused, InvalidRefund,
    TooManyRefunds.
    """
    if not 1 <= len(key) <= MAX_ID or "\x00" in key or (amount is not None and not (is_money(amount) and amount > 0)):
        raise InvalidRefund
    row = await _locked(session, source, external_id)
    known = next((item for item in row.refunds if item["key"] == key), None)
    if known is not None:
        if amount is not None and Decimal(known["amount"]) != amount:
            raise RefundKeyReused(key=key)
        return Refund(service.as_order(row), Decimal(known["amount"]), is_new=False)
    returned = _checked(row, amount)
    await _return(session, row, returned, key)
    return Refund(service.as_order(row), returned, is_new=True)


def _checked(row: OrderRow, amount: Decimal | None) -> Decimal:
    """What is returned. Raises what speaks against it."""
    if row.status == OrderStatus.REFUNDED:
        raise OrderRefundedBefore(order_id=row.id)
    if row.status != OrderStatus.PAID:
        raise OrderNotPaid(order_id=row.id, status=row.status)
    left = row.amount - row.refunded
    if amount is not None and amount > left:
        raise RefundTooLarge(order_id=row.id, left=str(left))
    if len(row.refunds) >= MAX_REFUNDS:
        raise TooManyRefunds(order_id=row.id)
    return left if amount is None else amount


async def _return(session: AsyncSession, row: OrderRow, amount: Decimal, key: str) -> None:
    now = await clock.now(session)
    row.refunded += amount
    row.refunds = [*row.refunds, {"key": key, "amount": str(amount), "at": now.isoformat()}]
    if row.refunded == row.amount:
        row.status = OrderStatus.REFUNDED
    await session.flush()
    await statistics.recount(session, row.member_id)
    await _announce(session, row, amount, key, now)


async def _announce(session: AsyncSession, row: OrderRow, amount: Decimal, key: str, now: datetime) -> None:
    fact = OrderRefunded(
        member_id=row.member_id,
        order_id=row.id,
        amount=amount,
        refunded=row.refunded,
        paid=row.amount,
        currency=row.currency,
        placed_at=row.placed_at,
        key=key,
    )
    await publish(session, fact, occurred_at=now, source=row.source)


async def _locked(session: AsyncSession, source: str, external_id: str) -> OrderRow:
    """The order, kept for this transaction: two refunds of it wait in line."""
    keys = (OrderKeyRow.source == source, OrderKeyRow.external_id == external_id)
    key = (await session.execute(select(OrderKeyRow.order_id, OrderKeyRow.placed_at).where(*keys))).one_or_none()
    if key is None:
        raise OrderNotFound
    own = (OrderRow.id == key.order_id, OrderRow.placed_at == key.placed_at)
    await members.enter(session, (await session.execute(select(OrderRow.member_id).where(*own))).scalar_one())
    query = select(OrderRow).where(*own).with_for_update().execution_options(populate_existing=True)
    return (await session.scalars(query)).one()
