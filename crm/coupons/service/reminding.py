"""Telling ahead that vouchers run out, each by itself."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.coupons.models import VoucherRow
from crm.coupons.types import VoucherStatus
from crm.db import clock
from crm.events import ahead
from crm.events import service as events
from crm.events.ahead import Run
from crm.events.loyalty import VoucherExpiring

SUBJECT = "vouchers"
_FIRST = UUID(int=0)


async def tell_ahead(session: AsyncSession) -> int:
    """One step of a run that is due; 0 when there is none."""
    return await ahead.advance(session, SUBJECT, _step)


async def _step(session: AsyncSession, run: Run) -> str | None:
    now = await clock.now(session)
    query = (
        select(VoucherRow.id, VoucherRow.member_id, VoucherRow.coupon_id, VoucherRow.expires_at)
        .where(VoucherRow.status == VoucherStatus.ISSUED)
        .where(VoucherRow.expires_at >= max(run.begins_at, now), VoucherRow.expires_at < run.ends_at)
        .where(VoucherRow.id > (UUID(run.reached) if run.reached else _FIRST))
        .order_by(VoucherRow.id)
        .limit(ahead.AT_ONCE)
    )
    rows = (await session.execute(query)).all()
    facts = [
        VoucherExpiring(
            member_id=row.member_id,
            voucher_id=row.id,
            coupon_id=row.coupon_id,
            at=row.expires_at,
            on=run.day,
            days=run.days,
        )
        for row in rows
    ]
    await events.publish_many(session, facts)
    return str(rows[-1].id) if len(rows) == ahead.AT_ONCE else None
