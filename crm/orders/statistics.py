"""What a member's orders add up to, counted anew for the profile."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.orders.models import OrderRow
from crm.orders.types import OrderStatus
from crm.profiles import service as profiles

_ORDERS = OrderRow.metadata.tables["orders"]


async def recount(session: AsyncSession, *member_ids: int) -> None:
    """Set the statistics of these profiles from their paid orders, less what was returned of them."""
    for member_id in member_ids:
        own = (_ORDERS.c.member_id == member_id, _ORDERS.c.status == OrderStatus.PAID)
        at = _ORDERS.c.placed_at
        kept = func.coalesce(func.sum(_ORDERS.c.amount - _ORDERS.c.refunded), 0)
        facts = select(func.count(), kept, func.min(at), func.max(at))
        count, total, first, last = (await session.execute(facts.where(*own))).one()
        await profiles.record(
            session, member_id, orders_count=count, orders_total=total, first_order_at=first, last_order_at=last
        )
