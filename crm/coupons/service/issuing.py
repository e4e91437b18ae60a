"""Issuing vouchers, once by key and never more than the limits say, and taking unused ones back."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.coupons import log, policy, repository
from crm.coupons.errors import (
    CouponEnded,
    CouponGone,
    CouponInactive,
    CouponLimit,
    CouponNotFound,
    CouponNotYet,
    VoucherExpired,
    VoucherUsed,
)
from crm.coupons.models import CodeRow, CouponRow, MemberCountRow, VoucherCodeRow, VoucherKeyRow, VoucherRow
from crm.coupons.types import Act, CodeSource, Coupon, Voucher, VoucherStatus
from crm.db import clock
from crm.events import service as events
from crm.events.loyalty import VoucherCancelled, VoucherIssued
from crm.kit.ids import uuid7
from crm.members import service as members

_ATTEMPTS = 5


class _Key(NamedTuple):
    """What a voucher's row is found by."""

    id: UUID
    issued_at: datetime


async def issue(
    session: AsyncSession, member_id: int, coupon_id: int, *, key: str, source: str, by: str = "system"
) -> Voucher:
    """Issue a voucher to the member; the same `key` answers the voucher of the first time.

    Raises CouponNotFound, CouponInactive, CouponNotYet, CouponEnded, CouponGone, CouponLimit.
    """
    member_id = await members.enter(session, member_id)
    now = await clock.now(session)
    new = _Key(uuid7(now), now)
    claim = upsert(VoucherKeyRow).values(key=key, voucher_id=new.id, issued_at=now).on_conflict_do_nothing()
    if (await session.execute(claim.returning(VoucherKeyRow.key))).scalar_one_or_none() is None:
        known = await session.scalar(select(VoucherKeyRow.voucher_id).where(VoucherKeyRow.key == key))
        assert known is not None
        return await repository.voucher(session, known)
    coupon = await _take(session, coupon_id, now)
    await _count(session, coupon, member_id)
    code = await _pooled(session, coupon, new) if coupon.code_source == CodeSource.POOL else None
    code = code or await _generated(session, coupon, new)
    start, end = policy.validity(repository.terms_of(coupon), now)
    values = {"id": new.id, "issued_at": now, "coupon_id": coupon_id, "member_id": member_id, "code": code}
    values |= {"status": VoucherStatus.ISSUED, "valid_from": start, "expires_at": end, "source": source}
    await session.execute(insert(VoucherRow).values(values))
    await log.note(session, [new.id], Act.ISSUED, by=by, detail=source)
    fact = VoucherIssued(member_id=member_id, voucher_id=new.id, coupon_id=coupon_id, issued_for=source)
    await events.publish(session, fact)
    return await repository.voucher(session, new.id)


async def hold(session: AsyncSession, coupon_ids: Collection[int]) -> None:
    """For who will issue of several coupons: hold them in the order of their ids, as everybody does."""
    if len(set(coupon_ids)) > 1:
        rows = select(CouponRow.id).where(CouponRow.id.in_(set(coupon_ids))).order_by(CouponRow.id)
        await session.execute(rows.with_for_update(key_share=True))


async def claim(session: AsyncSession, member_id: int, code: str) -> Voucher:
    """The member said a shared code: a voucher for them, as often as one member may have it.

    Raises CouponNotFound when it is no such code, and what `issue` raises.
    """
    found = policy.normal(code)
    row = await session.scalar(select(CouponRow).where(CouponRow.shared_code == found)) if found else None
    if row is None:
        raise CouponNotFound("there is no offer with this code; look whether it was typed right")
    member_id = await members.enter(session, member_id)
    limits = (MemberCountRow.coupon_id == row.id, MemberCountRow.member_id == member_id)
    had = await session.scalar(select(MemberCountRow.issued).where(*limits).with_for_update()) or 0
    if had and row.limit_per_member is None:
        # who says the same code again means the voucher that they have
        raise CouponLimit
    return await issue(session, member_id, row.id, key=f"shared:{row.id}:{member_id}:{had}", source="shared_code")


async def cancel(session: AsyncSession, voucher_id: UUID, *, reason: str, by: str) -> Voucher:
    """Take an unused voucher away; again it changes nothing. Raises VoucherNotFound, VoucherUsed, VoucherExpired."""
    given = update(VoucherRow).where(VoucherRow.id == voucher_id, VoucherRow.status == VoucherStatus.ISSUED)
    taken = await session.scalar(given.values(status=VoucherStatus.CANCELLED).returning(VoucherRow.id))
    voucher = await repository.voucher(session, voucher_id)
    if taken is None:
        if voucher.status is VoucherStatus.USED:
            raise VoucherUsed(used_at=voucher.used_at)
        if voucher.status is VoucherStatus.EXPIRED:
            raise VoucherExpired
        return voucher
    await log.note(session, [voucher_id], Act.CANCELLED, by=by, detail=reason)
    fact = VoucherCancelled(member_id=voucher.member_id, voucher_id=voucher_id, coupon_id=voucher.coupon_id)
    await events.publish(session, fact)
    return voucher


async def _take(session: AsyncSession, coupon_id: int, now: datetime) -> CouponRow:
    """Count one more of the coupon, which holds its row until the commit; says why not when it cannot be."""
    can = (
        CouponRow.id == coupon_id,
        CouponRow.is_active,
        or_(CouponRow.starts_at.is_(None), CouponRow.starts_at <= now),
        or_(CouponRow.ends_at.is_(None), CouponRow.ends_at > now),
        or_(CouponRow.limit_total.is_(None), CouponRow.issued < CouponRow.limit_total),
    )
    taking = update(CouponRow).where(*can).values(issued=CouponRow.issued + 1).returning(CouponRow)
    row = await session.scalar(taking.execution_options(populate_existing=True))
    if row is not None:
        return row
    raise _why_not(await repository.coupon(session, coupon_id), now)


def _why_not(coupon: Coupon, now: datetime) -> Exception:
    if not coupon.is_active:
        return CouponInactive()
    if coupon.terms.starts_at is not None and coupon.terms.starts_at > now:
        return CouponNotYet(starts_at=coupon.terms.starts_at)
    if coupon.terms.ends_at is not None and coupon.terms.ends_at <= now:
        return CouponEnded(ended_at=coupon.terms.ends_at)
    return CouponGone()


async def _count(session: AsyncSession, coupon: CouponRow, member_id: int) -> None:
    most = coupon.limit_per_member
    add = upsert(MemberCountRow).values(coupon_id=coupon.id, member_id=member_id, issued=1)
    one_more = add.on_conflict_do_update(
        index_elements=["coupon_id", "member_id"],
        set_={"issued": MemberCountRow.issued + 1},
        where=None if most is None else MemberCountRow.issued < most,
    )
    if await session.scalar(one_more.returning(MemberCountRow.issued)) is None:
        raise CouponLimit(limit=most)


async def _pooled(session: AsyncSession, coupon: CouponRow, new: _Key) -> str:
    free = select(CodeRow.code).where(CodeRow.coupon_id == coupon.id, CodeRow.is_taken.is_(False))
    first = free.order_by(CodeRow.position).limit(1).with_for_update(skip_locked=True).scalar_subquery()
    taking = update(CodeRow).where(CodeRow.code == first).values(is_taken=True).returning(CodeRow.code)
    code = await session.scalar(taking.execution_options(synchronize_session=False))
    if code is None or not await _is_claimed(session, code, new):
        raise CouponGone
    return code


async def _generated(session: AsyncSession, coupon: CouponRow, new: _Key) -> str:
    for _ in range(_ATTEMPTS):
        code = policy.generate(coupon.pattern or policy.DEFAULT_PATTERN)
        if await _is_claimed(session, code, new):
            return code
    raise CouponGone("no new code of the coupon's pattern could be found; give it a longer pattern")


async def _is_claimed(session: AsyncSession, code: str, new: _Key) -> bool:
    row = upsert(VoucherCodeRow).values(code=policy.normal(code), voucher_id=new.id, issued_at=new.issued_at)
    made = await session.execute(row.on_conflict_do_nothing().returning(VoucherCodeRow.code))
    return made.scalar_one_or_none() is not None
