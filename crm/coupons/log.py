"""The append-only log of what happened to vouchers."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.coupons.models import VoucherLogRow
from crm.coupons.types import Act, LogEntry
from crm.db import clock
from crm.kit.ids import uuid7


async def note(
    session: AsyncSession, voucher_ids: Sequence[UUID], act: Act, *, by: str, detail: str | None = None
) -> None:
    """Append one line per voucher."""
    now = await clock.now(session)
    rows = [
        {"id": uuid7(now), "at": now, "voucher_id": voucher_id, "act": act, "by": by, "detail": detail}
        for voucher_id in voucher_ids
    ]
    if rows:
        await session.execute(insert(VoucherLogRow), rows)


async def read(session: AsyncSession, voucher_id: UUID) -> list[LogEntry]:
    """What happened to a voucher, oldest first."""
    query = select(VoucherLogRow).where(VoucherLogRow.voucher_id == voucher_id).order_by(VoucherLogRow.id)
    return [LogEntry(row.at, Act(row.act), row.by, row.detail) for row in await session.scalars(query)]
