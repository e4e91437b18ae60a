"""Joining two members' orders: they all go over, and both profiles are counted anew."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.orders.models import OrderRow
from crm.orders.types import OrderStatus
from crm.profiles import service as profiles

_ORDERS = OrderRow.metadata.tables["orders"]


class OrdersMerge:
    """Moves orders."""

    name = "orders"

    async def merge(self, session: AsyncSession, keep_id: int, drop_id: int) -> dict[str, Any]:
        """Answers the keys of the orders that moved."""
        moving = update(_ORDERS).where(_ORDERS.c.member_id == drop_id).values(member_id=keep_id)
        rows = (await session.execute(moving.returning(_ORDERS.c.id, _ORDERS.c.placed_at))).all()
        await _recount(session, keep_id, drop_id)
        return {"moved": [[row.id, row.placed_at.isoformat()] for row in rows]}

    async def undo(self, session: AsyncSession, keep_id: int, drop_id: int, record: dict[str, Any]) -> None:
        """Move the same orders back."""
        keys = [(order_id, datetime.fromisoformat(placed_at)) for order_id, placed_at in record["moved"]]
        own = (tuple_(_ORDERS.c.id, _ORDERS.c.placed_at).in_(keys), _ORDERS.c.member_id == keep_id)
        await session.execute(update(_ORDERS).where(*own).values(member_id=drop_id))
        await _recount(session, keep_id, drop_id)


async def _recount(session: AsyncSession, *member_ids: int) -> None:
    for member_id in member_ids:
        own = (_ORDERS.c.member_id == member_id, _ORDERS.c.status == OrderStatus.PAID)
        at = _ORDERS.c.placed_at
        facts = select(func.count(), func.coalesce(func.sum(_ORDERS.c.amount), 0), func.min(at), func.max(at))
        count, total, first, last = (await session.execute(facts.where(*own))).one()
        await profiles.record(
            session, member_id, orders_count=count, orders_total=total, first_order_at=first, last_order_at=last
        )


orders_merge = OrdersMerge()
