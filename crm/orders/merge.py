"""Joining two members' orders: they all go over, and both profiles are counted anew."""

from datetime import datetime
from typing import Any

from sqlalchemy import tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.orders.models import OrderRow
from crm.orders.statistics import recount

_ORDERS = OrderRow.metadata.tables["orders"]


class OrdersMerge:
    """Moves orders."""

    name = "orders"

    async def merge(self, session: AsyncSession, keep_id: int, drop_id: int) -> dict[str, Any]:
        """Answers the keys of the orders that moved."""
        moving = update(_ORDERS).where(_ORDERS.c.member_id == drop_id).values(member_id=keep_id)
        rows = (await session.execute(moving.returning(_ORDERS.c.id, _ORDERS.c.placed_at))).all()
        await recount(session, keep_id, drop_id)
        return {"moved": [[row.id, row.placed_at.isoformat()] for row in rows]}

    async def undo(self, session: AsyncSession, keep_id: int, drop_id: int, record: dict[str, Any]) -> None:
        """Move the same orders back."""
        keys = [(order_id, datetime.fromisoformat(placed_at)) for order_id, placed_at in record["moved"]]
        own = (tuple_(_ORDERS.c.id, _ORDERS.c.placed_at).in_(keys), _ORDERS.c.member_id == keep_id)
        await session.execute(update(_ORDERS).where(*own).values(member_id=drop_id))
        await recount(session, keep_id, drop_id)


orders_merge = OrdersMerge()
