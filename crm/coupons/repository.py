"""Reading rows of coupons and vouchers as values."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.coupons import policy
from crm.coupons.errors import CouponNotFound, VoucherNotFound
from crm.coupons.models import CodeRow, CouponRow, VoucherCodeRow, VoucherRow
from crm.coupons.types import CodeSource, Coupon, CouponKind, Stacking, Terms, Voucher, VoucherStatus

VOUCHERS = select(VoucherRow, CouponRow).join(CouponRow, CouponRow.id == VoucherRow.coupon_id)


async def coupon(session: AsyncSession, coupon_id: int) -> Coupon:
    """One coupon with its counts. Raises CouponNotFound."""
    rows = await coupons(session, select(CouponRow).where(CouponRow.id == coupon_id))
    if not rows:
        raise CouponNotFound(coupon_id=coupon_id)
    return rows[0]


async def coupons(session: AsyncSession, query: Select[CouponRow]) -> list[Coupon]:
    """What `query` finds, each with its counts."""
    rows = (await session.scalars(query.execution_options(populate_existing=True))).all()
    ids = [row.id for row in rows]
    is_used = (VoucherRow.coupon_id.in_(ids), VoucherRow.status == VoucherStatus.USED)
    used = await _counts(session, select(VoucherRow.coupon_id, func.count()).where(*is_used))
    is_free = (CodeRow.coupon_id.in_(ids), CodeRow.is_taken.is_(False))
    left = await _counts(session, select(CodeRow.coupon_id, func.count()).where(*is_free))
    return [_coupon(row, used.get(row.id, 0), left.get(row.id, 0)) for row in rows]


async def _counts(session: AsyncSession, query: Select[*tuple[Any, ...]]) -> dict[int, int]:
    rows = await session.execute(query.group_by(query.selected_columns[0]))
    return {row[0]: row[1] for row in rows}


async def find(session: AsyncSession, code: str) -> Voucher:
    """The voucher of a code, however it was typed. Raises VoucherNotFound."""
    same = and_(VoucherRow.id == VoucherCodeRow.voucher_id, VoucherRow.issued_at == VoucherCodeRow.issued_at)
    return await _one(session, VOUCHERS.join(VoucherCodeRow, same).where(VoucherCodeRow.code == policy.normal(code)))


async def voucher(session: AsyncSession, voucher_id: UUID) -> Voucher:
    """One voucher. Raises VoucherNotFound."""
    return await _one(session, VOUCHERS.where(VoucherRow.id == voucher_id))


async def vouchers(session: AsyncSession, query: Select[VoucherRow, CouponRow]) -> list[Voucher]:
    """What `query`, made from VOUCHERS, finds."""
    rows = await session.execute(query.execution_options(populate_existing=True))
    return [_voucher(row, coupon) for row, coupon in rows]


async def _one(session: AsyncSession, query: Select[VoucherRow, CouponRow]) -> Voucher:
    found = await vouchers(session, query)
    if not found:
        raise VoucherNotFound
    return found[0]


def terms_of(row: CouponRow) -> Terms:
    """The terms in a row."""
    return Terms(
        CouponKind(row.kind),
        row.value,
        row.most,
        row.minimum_spend,
        Stacking(row.stacking),
        row.starts_at,
        row.ends_at,
        row.valid_days,
        row.limit_total,
        row.limit_per_member,
    )


def _coupon(row: CouponRow, used: int, left: int) -> Coupon:
    source = CodeSource(row.code_source)
    return Coupon(
        id=row.id,
        name=dict(row.name),
        description=dict(row.description),
        terms=terms_of(row),
        code_source=source,
        pattern=row.pattern,
        shared_code=row.shared_code,
        is_active=row.is_active,
        issued=row.issued,
        used=used,
        codes_left=left if source is CodeSource.POOL else None,
        created_at=row.created_at,
    )


def _voucher(row: VoucherRow, coupon_row: CouponRow) -> Voucher:
    return Voucher(
        id=row.id,
        coupon_id=row.coupon_id,
        member_id=row.member_id,
        code=row.code,
        status=VoucherStatus(row.status),
        name=dict(coupon_row.name),
        description=dict(coupon_row.description),
        terms=terms_of(coupon_row),
        issued_at=row.issued_at,
        valid_from=row.valid_from,
        expires_at=row.expires_at,
        source=row.source,
        used_at=row.used_at,
        used_by=row.used_by,
        reference=row.reference,
    )
