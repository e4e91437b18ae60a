"""Coupons as operators keep them, and the pools of imported codes."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.coupons import policy, repository
from crm.coupons.errors import CouponNotFound, InvalidCodes, InvalidCoupon
from crm.coupons.models import CodeRow, CouponRow, VoucherCodeRow
from crm.coupons.types import CodeSource, Coupon, Imported, NewCoupon, Terms

_BATCH = 5000
_SHOWN_FAULTS = 20


async def create(session: AsyncSession, new: NewCoupon, *, is_demo: bool = False) -> Coupon:
    """Make a coupon; one of the demo brand is removed with it. Raises InvalidCoupon."""
    checked = policy.check_new(new)
    await _require_free(session, checked.shared_code)
    values = {
        **asdict(checked.terms),
        "name": checked.name,
        "description": checked.description,
        "code_source": checked.code_source,
        "pattern": checked.pattern,
        "shared_code": checked.shared_code,
        "is_demo": is_demo,
    }
    made = await session.execute(insert(CouponRow).values(values).returning(CouponRow.id))
    return await repository.coupon(session, made.scalar_one())


async def change(
    session: AsyncSession,
    coupon_id: int,
    *,
    name: dict[str, str] | None = None,
    description: dict[str, str] | None = None,
    terms: Terms | None = None,
    pattern: str | None = None,
    shared_code: str | None = None,
    is_active: bool | None = None,
) -> Coupon:
    """Change what is given; an empty `shared_code` takes it away. Vouchers issued before keep their dates.

    What the coupon takes off holds for issued vouchers as well, so its kind stays. Raises CouponNotFound,
    InvalidCoupon.
    """
    row = await _locked(session, coupon_id)
    values: dict[str, Any] = {}
    if name is not None:
        values["name"] = policy.check_name(name)
    if description is not None:
        values["description"] = policy.check_description(description)
    if terms is not None:
        values |= asdict(policy.check_terms(terms))
        _require_possible(row, terms)
    if pattern is not None:
        values["pattern"] = _pattern_of(row, pattern)
    if shared_code is not None:
        values["shared_code"] = policy.check_shared_code(shared_code)
        await _require_free(session, values["shared_code"], but=coupon_id)
    if is_active is not None:
        values["is_active"] = is_active
    if values:
        await session.execute(update(CouponRow).where(CouponRow.id == coupon_id).values(values))
    return await repository.coupon(session, coupon_id)


async def get(session: AsyncSession, coupon_id: int) -> Coupon:
    """One coupon. Raises CouponNotFound."""
    return await repository.coupon(session, coupon_id)


async def listing(session: AsyncSession, *, active_only: bool = False) -> list[Coupon]:
    """All coupons, newest first."""
    query = select(CouponRow).order_by(CouponRow.id.desc())
    return await repository.coupons(session, query.where(CouponRow.is_active) if active_only else query)


async def import_codes(session: AsyncSession, coupon_id: int, lines: Sequence[str]) -> Imported:
    """Add codes, one a line, to the coupon's pool: all of them, or none when one has a fault.

    Raises CouponNotFound, InvalidCoupon for a coupon that generates its codes, InvalidCodes with `problems`.
    """
    await lock_pool(session, coupon_id)
    codes = policy.check_codes(lines)
    last = await session.scalar(select(func.max(CodeRow.position)).where(CodeRow.coupon_id == coupon_id)) or 0
    for start in range(0, len(codes), _BATCH):
        await _insert(session, coupon_id, codes[start : start + _BATCH], last + start)
    found = await repository.coupon(session, coupon_id)
    return Imported(len(codes), found.codes_left or 0)


async def lock_pool(session: AsyncSession, coupon_id: int) -> None:
    """Hold the coupon until the commit, so that its pool grows in order. Raises CouponNotFound, InvalidCoupon."""
    row = await _locked(session, coupon_id)
    if row.code_source != CodeSource.POOL:
        raise InvalidCoupon("this coupon generates its codes; make one that takes them from a pool")


async def _insert(session: AsyncSession, coupon_id: int, codes: list[str], last: int) -> None:
    known = set(await session.scalars(select(VoucherCodeRow.code).where(VoucherCodeRow.code.in_(codes))))
    rows = [
        {"code": code, "coupon_id": coupon_id, "position": last + number}
        for number, code in enumerate(codes, 1)
        if code not in known
    ]
    if rows:
        adding = upsert(CodeRow).values(rows).on_conflict_do_nothing().returning(CodeRow.code)
        known |= {str(row["code"]) for row in rows} - set(await session.scalars(adding))
    if known:
        shown = sorted(known)[:_SHOWN_FAULTS]
        problems = dict.fromkeys(shown, "this code is in use already")
        raise InvalidCodes(f"{len(known)} codes are in use already, one of them is {shown[0]}", problems=problems)


async def _locked(session: AsyncSession, coupon_id: int) -> CouponRow:
    row = await session.get(CouponRow, coupon_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise CouponNotFound(coupon_id=coupon_id)
    return row


async def _require_free(session: AsyncSession, code: str | None, *, but: int = 0) -> None:
    if code is None:
        return
    other = await session.scalar(select(CouponRow.id).where(CouponRow.shared_code == code, CouponRow.id != but))
    if other is not None:
        raise InvalidCoupon(f"the shared code {code} belongs to coupon {other}")


def _require_possible(row: CouponRow, terms: Terms) -> None:
    if terms.kind != row.kind:
        raise InvalidCoupon("the kind of a coupon stays; make another coupon")
    if terms.limit_total is not None and terms.limit_total < row.issued:
        raise InvalidCoupon(f"{row.issued} vouchers were issued already, so limit_total cannot be lower")


def _pattern_of(row: CouponRow, pattern: str) -> str:
    if row.code_source != CodeSource.PATTERN:
        raise InvalidCoupon("this coupon takes its codes from a pool")
    return policy.check_pattern(pattern)
