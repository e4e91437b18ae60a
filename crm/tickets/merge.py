"""Tickets follow their member through a merge; two open ones become one."""

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.tickets.models import TicketRow
from crm.tickets.types import TicketStatus

_BY = "merge"


class TicketsMerge:
    """Moves tickets; one that was closed by the merge is opened again when it is undone."""

    name = "tickets"

    async def merge(self, session: AsyncSession, keep_id: int, drop_id: int) -> dict[str, Any]:
        """Move the dropped member's tickets; the younger of two open ones is closed."""
        open_ones = select(TicketRow.id).where(
            TicketRow.member_id.in_([keep_id, drop_id]), TicketRow.status == TicketStatus.OPEN
        )
        found = (await session.scalars(open_ones.order_by(TicketRow.id))).all()
        closed = list(found[1:])
        if closed:
            values = {"status": TicketStatus.CLOSED, "closed_by": _BY, "closed_at": await clock.now(session)}
            await session.execute(update(TicketRow).where(TicketRow.id.in_(closed)).values(values))
        move = update(TicketRow).where(TicketRow.member_id == drop_id).values(member_id=keep_id)
        moved = (await session.scalars(move.returning(TicketRow.id))).all()
        return {"moved": list(moved), "closed": closed}

    async def undo(self, session: AsyncSession, keep_id: int, drop_id: int, record: dict[str, Any]) -> None:
        """Move them back, and open again what only the merge closed."""
        moved = TicketRow.id.in_(record["moved"])
        await session.execute(update(TicketRow).where(moved, TicketRow.member_id == keep_id).values(member_id=drop_id))
        for ticket_id in record["closed"]:
            await self._reopen(session, ticket_id)

    async def _reopen(self, session: AsyncSession, ticket_id: int) -> None:
        row = await session.get(TicketRow, ticket_id, populate_existing=True)
        if row is None or row.closed_by != _BY:
            return
        others = select(TicketRow.id).where(TicketRow.member_id == row.member_id, TicketRow.status == TicketStatus.OPEN)
        if (await session.scalars(others)).first() is None:
            row.status, row.closed_by, row.closed_at = TicketStatus.OPEN, None, None
            await session.flush()


step = TicketsMerge()
