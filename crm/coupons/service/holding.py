"""What members hold: lists, single vouchers, their pictures, and what runs out."""

from datetime import datetime
from io import BytesIO
from uuid import UUID

import segno
from sqlalchemy import or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.coupons import log, repository
from crm.coupons.errors import VoucherNotFound
from crm.coupons.models import CouponRow, VoucherRow
from crm.coupons.types import Act, LogEntry, Voucher, VoucherStatus
from crm.db import clock
from crm.events import service as events
from crm.events.loyalty import VoucherExpired
from crm.kit.paging import InvalidCursor, Page, check_limit, decode_cursor, page_of
from crm.media import service as media

_SHOWN = 20


async def usable(session: AsyncSession, member_id: int) -> list[Voucher]:
    """The member's vouchers that are good now or later, the first to run out first; at most 20."""
    now = await clock.now(session)
    query = (
        repository.VOUCHERS.where(VoucherRow.member_id == member_id, VoucherRow.status == VoucherStatus.ISSUED)
        .where(or_(VoucherRow.expires_at.is_(None), VoucherRow.expires_at > now))
        .order_by(VoucherRow.expires_at.asc().nulls_last(), VoucherRow.issued_at)
        .limit(_SHOWN)
    )
    return await repository.vouchers(session, query)


async def show(session: AsyncSession, member_id: int, voucher_id: UUID) -> tuple[Voucher, UUID]:
    """One of the member's own vouchers, with the id of the picture of its code; that it was shown is noted.

    Raises VoucherNotFound, also for one of somebody else.
    """
    voucher = await repository.voucher(session, voucher_id)
    if voucher.member_id != member_id:
        raise VoucherNotFound
    await log.note(session, [voucher_id], Act.SHOWN, by=f"member:{member_id}")
    picture = await media.store_image(session, qr_png(voucher.code))
    return voucher, picture.id


def qr_png(code: str, *, scale: int = 12) -> bytes:
    """The code as a QR code in PNG, `scale` pixels a module, with error correction for creased and dim screens."""
    target = BytesIO()
    segno.make(code, error="q", micro=False).save(target, kind="png", scale=scale, border=4)
    return target.getvalue()


async def listing(
    session: AsyncSession,
    *,
    member_id: int | None = None,
    coupon_id: int | None = None,
    status: VoucherStatus | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[Voucher]:
    """Vouchers, newest first. Raises InvalidCursor, InvalidLimit."""
    check_limit(limit)
    query = repository.VOUCHERS.order_by(VoucherRow.issued_at.desc(), VoucherRow.id.desc()).limit(limit + 1)
    for column, wanted in (
        (VoucherRow.member_id, member_id),
        (VoucherRow.coupon_id, coupon_id),
        (VoucherRow.status, status),
    ):
        if wanted is not None:
            query = query.where(column == wanted)
    if cursor is not None:
        query = query.where(tuple_(VoucherRow.issued_at, VoucherRow.id) < _position(cursor))
    found = await repository.vouchers(session, query)
    return page_of(found, limit, lambda voucher: voucher, lambda last: (last.issued_at.isoformat(), str(last.id)))


async def get(session: AsyncSession, voucher_id: UUID) -> Voucher:
    """One voucher. Raises VoucherNotFound."""
    return await repository.voucher(session, voucher_id)


async def find(session: AsyncSession, code: str) -> Voucher:
    """The voucher of a code, however it was typed. Raises VoucherNotFound."""
    return await repository.find(session, code)


async def history(session: AsyncSession, voucher_id: UUID) -> list[LogEntry]:
    """What happened to a voucher, oldest first."""
    return await log.read(session, voucher_id)


async def expire_due(session: AsyncSession, limit: int = 500) -> int:
    """Mark at most `limit` vouchers that have run out; answers how many."""
    now = await clock.now(session)
    due = (
        select(VoucherRow.id, VoucherRow.issued_at)
        .where(VoucherRow.status == VoucherStatus.ISSUED, VoucherRow.expires_at <= now)
        .order_by(VoucherRow.expires_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    keys = [(row.id, row.issued_at) for row in await session.execute(due)]
    if not keys:
        return 0
    own = update(VoucherRow).where(tuple_(VoucherRow.id, VoucherRow.issued_at).in_(keys))
    marking = own.values(status=VoucherStatus.EXPIRED).returning(
        VoucherRow.id, VoucherRow.member_id, VoucherRow.coupon_id
    )
    rows = (await session.execute(marking.execution_options(synchronize_session=False))).all()
    await log.note(session, [row.id for row in rows], Act.EXPIRED, by="system")
    facts = [VoucherExpired(member_id=row.member_id, voucher_id=row.id, coupon_id=row.coupon_id) for row in rows]
    await events.publish_many(session, facts)
    return len(rows)


async def coupon_names(session: AsyncSession) -> dict[int, dict[str, str]]:
    """Every coupon's names by id, for forms."""
    rows = await session.execute(select(CouponRow.id, CouponRow.name))
    return {row.id: dict(row.name) for row in rows}


def _position(cursor: str) -> tuple[datetime, UUID]:
    at, voucher_id = decode_cursor(cursor, str, str)
    try:
        return datetime.fromisoformat(at), UUID(voucher_id)
    except ValueError as error:
        raise InvalidCursor from error
