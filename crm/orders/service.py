"""Use cases of orders: recording them once, and listing them."""

from dataclasses import asdict, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import insert, select, tuple_
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brand
from crm.db import clock
from crm.events.catalogue import OrderPlaced
from crm.events.service import publish
from crm.kit.paging import InvalidCursor, Page, check_limit, decode_cursor, page_of
from crm.members import service as members
from crm.orders import policy
from crm.orders.errors import OrderDiffers, OrderNotFound
from crm.orders.models import OrderKeyRow, OrderRow
from crm.orders.types import NewOrder, Order, OrderItem, OrderStatus
from crm.profiles import service as profiles


async def record(session: AsyncSession, new: NewOrder) -> Order:
    """Record an order once by (source, external id); again it answers the recorded one with `is_new` off.

    A paid order is counted in the profile and announced. An order of a merged member goes to the profile that
    the member lives on in. Raises InvalidOrder, MemberNotFound, OrderDiffers.
    """
    order = policy.checked(new, (await brand.get(session)).currency, await clock.now(session))
    order = replace(order, member_id=await members.enter(session, order.member_id))
    key = {"source": order.source, "external_id": order.external_id}
    claim = upsert(OrderKeyRow).values(**key, placed_at=order.placed_at).on_conflict_do_nothing()
    order_id = (await session.execute(claim.returning(OrderKeyRow.order_id))).scalar_one_or_none()
    if order_id is None:
        return await _same(session, order)
    items = [_item_json(item) for item in order.items]
    await session.execute(insert(OrderRow).values(**{**vars(order), "items": items}, id=order_id))
    if order.status == OrderStatus.PAID:
        await profiles.add_order(session, order.member_id, order.amount, order.placed_at)
        await _announce(session, order, order_id)
    return replace(await find(session, order.source, order.external_id), is_new=True)


async def find(session: AsyncSession, source: str, external_id: str) -> Order:
    """One order by what identifies it. Raises OrderNotFound."""
    keys = (OrderRow.id == OrderKeyRow.order_id) & (OrderRow.placed_at == OrderKeyRow.placed_at)
    query = select(OrderRow).join(OrderKeyRow, keys)
    query = query.where(OrderKeyRow.source == source, OrderKeyRow.external_id == external_id)
    row = await session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        raise OrderNotFound
    return as_order(row)


async def listing(
    session: AsyncSession, *, member_id: int | None = None, limit: int = 50, cursor: str | None = None
) -> Page[Order]:
    """Orders, newest first, of one member or of all. Raises InvalidCursor, InvalidLimit."""
    limit = check_limit(limit)
    query = select(OrderRow).order_by(OrderRow.placed_at.desc(), OrderRow.id.desc()).limit(limit + 1)
    if member_id is not None:
        query = query.where(OrderRow.member_id == member_id)
    if cursor is not None:
        query = query.where(tuple_(OrderRow.placed_at, OrderRow.id) < _position(cursor))
    rows = (await session.scalars(query.execution_options(populate_existing=True))).all()
    return page_of(rows, limit, as_order, lambda row: (row.placed_at.isoformat(), row.id))


def _position(cursor: str) -> tuple[datetime, int]:
    text, order_id = decode_cursor(cursor, str, int)
    try:
        placed_at = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidCursor from error
    if placed_at.tzinfo is None:
        raise InvalidCursor
    return placed_at, order_id


async def _same(session: AsyncSession, order: NewOrder) -> Order:
    known = await find(session, order.source, order.external_id)
    if (known.member_id, known.amount) != (order.member_id, order.amount):
        raise OrderDiffers(order_id=known.id)
    return known


async def _announce(session: AsyncSession, order: NewOrder, order_id: int) -> None:
    placed = OrderPlaced(
        member_id=order.member_id,
        order_id=order_id,
        amount=order.amount,
        currency=order.currency,
        placed_at=order.placed_at,
        items=[{name: value for name, value in _item_json(item).items() if name != "name"} for item in order.items],
    )
    await publish(session, placed, occurred_at=order.placed_at, source=order.source)


def _item_json(item: OrderItem) -> dict[str, Any]:
    return {**asdict(item), "amount": None if item.amount is None else str(item.amount)}


def _item(item: dict[str, Any]) -> OrderItem:
    amount = None if item["amount"] is None else Decimal(item["amount"])
    return OrderItem(item["name"], item["quantity"], amount, item["sku"], item.get("category"))


def as_order(row: OrderRow) -> Order:
    """The row as a value."""
    return Order(
        id=row.id,
        member_id=row.member_id,
        external_id=row.external_id,
        source=row.source,
        amount=row.amount,
        currency=row.currency,
        placed_at=row.placed_at,
        items=[_item(item) for item in row.items],
        status=OrderStatus(row.status),
        created_at=row.created_at,
        refunded=row.refunded,
    )
