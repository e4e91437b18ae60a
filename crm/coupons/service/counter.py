"""The counter: looking a code up, using it once, taking a use back."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.coupons import log, policy, repository
from crm.coupons.errors import (
    InvalidCodes,
    UseKeyReused,
    VoucherCancelled,
    VoucherExpired,
    VoucherNotFound,
    VoucherNotUsed,
    VoucherNotYet,
    VoucherNotYours,
    VoucherUsed,
)
from crm.coupons.models import UseKeyRow, VoucherRow
from crm.coupons.types import Act, Checked, Use, Verdict, Voucher, VoucherStatus
from crm.db import clock
from crm.events import service as events
from crm.events.loyalty import VoucherRolledBack
from crm.events.loyalty import VoucherUsed as VoucherWasUsed
from crm.kit.errors import DomainError
from crm.members import service as members

MOST_TOGETHER = 10
_REFUSALS: dict[Verdict, type[DomainError]] = {
    Verdict.EXPIRED: VoucherExpired,
    Verdict.NOT_YET: VoucherNotYet,
    Verdict.CANCELLED: VoucherCancelled,
    Verdict.NOT_YOURS: VoucherNotYours,
    Verdict.USED: VoucherUsed,
}


async def check(
    session: AsyncSession, code: str, *, member_id: int | None = None, amount: Decimal | None = None
) -> Checked:
    """What a code is worth now: for `member_id` when it is given, and off `amount` when that is given."""
    try:
        voucher = await repository.find(session, code)
    except VoucherNotFound:
        return Checked(Verdict.UNKNOWN, None)
    owner = None if member_id is None else await members.current_id(session, member_id)
    verdict = _judge(voucher, await clock.now(session), owner)
    if verdict is not Verdict.VALID or amount is None:
        return Checked(verdict, voucher)
    try:
        return Checked(verdict, voucher, policy.discount(voucher.terms, amount))
    except DomainError as error:
        return Checked(verdict, voucher, problem=error.detail)


async def use(
    session: AsyncSession,
    codes: Sequence[str],
    *,
    key: str,
    by: str,
    member_id: int | None = None,
    amount: Decimal | None = None,
    reference: str | None = None,
) -> Use:
    """Use vouchers together for one order, all or none of them, each once.

    `key` names the order: given again with the same codes it answers what was done the first time. `reference` is
    the shop's own number. Raises VoucherNotFound, VoucherUsed, VoucherExpired, VoucherNotYet, VoucherCancelled,
    VoucherNotYours, VouchersDoNotCombine, SpendTooLittle, InvalidCodes, UseKeyReused.
    """
    wanted = sorted({policy.normal(code) for code in codes})
    if not 1 <= len(wanted) == len(codes) <= MOST_TOGETHER:
        raise InvalidCodes(f"give 1 to {MOST_TOGETHER} different codes")
    claim = upsert(UseKeyRow).values(key=key, codes=wanted).on_conflict_do_nothing()
    if await session.scalar(claim.returning(UseKeyRow.key)) is None:
        return await _again(session, key, wanted)
    owner = None if member_id is None else await members.current_id(session, member_id)
    marks = {"used_at": await clock.now(session), "used_by": by, "used_key": key, "reference": reference}
    vouchers = [await _take(session, code, owner, marks) for code in wanted]
    terms = [voucher.terms for voucher in vouchers]
    policy.check_combination(terms)
    off = None if amount is None else policy.total_discount(terms, amount)
    await session.execute(update(UseKeyRow).where(UseKeyRow.key == key).values(discount=off))
    await log.note(session, [voucher.id for voucher in vouchers], Act.USED, by=by, detail=reference)
    facts = [
        VoucherWasUsed(member_id=voucher.member_id, voucher_id=voucher.id, coupon_id=voucher.coupon_id)
        for voucher in vouchers
    ]
    await events.publish_many(session, facts)
    return Use(vouchers, off, is_new=True)


async def roll_back(session: AsyncSession, code: str, *, reason: str, by: str) -> Voucher:
    """Take a use back: the voucher is good again, or has run out meanwhile. Raises VoucherNotFound, VoucherNotUsed."""
    voucher = await repository.find(session, code)
    now = await clock.now(session)
    has_run_out = voucher.expires_at is not None and voucher.expires_at <= now
    status = VoucherStatus.EXPIRED if has_run_out else VoucherStatus.ISSUED
    values = {"status": status, "used_at": None, "used_by": None, "used_key": None, "reference": None}
    used = update(VoucherRow).where(VoucherRow.id == voucher.id, VoucherRow.status == VoucherStatus.USED)
    if await session.scalar(used.values(values).returning(VoucherRow.id)) is None:
        raise VoucherNotUsed
    await log.note(session, [voucher.id], Act.ROLLED_BACK, by=by, detail=reason)
    fact = VoucherRolledBack(member_id=voucher.member_id, voucher_id=voucher.id, coupon_id=voucher.coupon_id)
    await events.publish(session, fact)
    return await repository.voucher(session, voucher.id)


async def _take(session: AsyncSession, code: str, owner: int | None, marks: Mapping[str, Any]) -> Voucher:
    """Mark one voucher used; of many who try at once, one finds it unused."""
    voucher = await repository.find(session, code)
    now = await clock.now(session)
    verdict = _judge(voucher, now, owner)
    if verdict is Verdict.VALID:
        free = (
            VoucherRow.id == voucher.id,
            VoucherRow.issued_at == voucher.issued_at,
            VoucherRow.status == VoucherStatus.ISSUED,
            or_(VoucherRow.expires_at.is_(None), VoucherRow.expires_at > now),
        )
        taking = update(VoucherRow).where(*free).values(**marks, status=VoucherStatus.USED).returning(VoucherRow.id)
        if await session.scalar(taking) is not None:
            return await repository.voucher(session, voucher.id)
        voucher = await repository.voucher(session, voucher.id)
        verdict = _judge(voucher, now, voucher.member_id)
    raise _REFUSALS.get(verdict, VoucherUsed)(code=voucher.code, used_at=voucher.used_at)


async def _again(session: AsyncSession, key: str, wanted: list[str]) -> Use:
    before = (await session.execute(select(UseKeyRow.codes, UseKeyRow.discount).where(UseKeyRow.key == key))).one()
    if before.codes != wanted:
        raise UseKeyReused
    vouchers = [await repository.find(session, code) for code in wanted]
    return Use(vouchers, before.discount, is_new=False)


def _judge(voucher: Voucher, now: datetime, owner: int | None) -> Verdict:
    if owner is not None and owner != voucher.member_id:
        return Verdict.NOT_YOURS
    if voucher.status is not VoucherStatus.ISSUED:
        return Verdict(voucher.status.value)
    if voucher.expires_at is not None and voucher.expires_at <= now:
        return Verdict.EXPIRED
    return Verdict.NOT_YET if voucher.valid_from > now else Verdict.VALID
