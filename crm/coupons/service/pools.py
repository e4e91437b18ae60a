"""Pools whose codes Siyu makes ahead, for systems that must know them before a voucher is issued."""

from collections.abc import AsyncIterator, Collection

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.coupons import policy, repository
from crm.coupons.errors import InvalidCodes
from crm.coupons.models import CodeRow, VoucherCodeRow
from crm.coupons.service import definitions
from crm.coupons.types import Imported
from crm.kit.spreadsheets import BOM, line

_BATCH, _ROUNDS = 5000, 10


async def generate(session: AsyncSession, coupon_id: int, count: int, *, pattern: str | None = None) -> Imported:
    """Add `count` new codes of `pattern` to the coupon's pool: all of them, or none.

    Raises CouponNotFound, InvalidCoupon for a bad pattern or a coupon without a pool, InvalidCodes.
    """
    checked = policy.check_pattern(pattern or policy.DEFAULT_PATTERN)
    if not 1 <= count <= policy.MAX_CODES:
        raise InvalidCodes(f"make 1 to {policy.MAX_CODES} codes at once")
    await definitions.lock_pool(session, coupon_id)
    missing = count
    for _ in range(_ROUNDS * (count // _BATCH + 1)):
        if missing == 0:
            break
        wanted = {policy.normal(policy.generate(checked)) for _ in range(min(missing, _BATCH))}
        missing -= await _add(session, coupon_id, wanted)
    if missing:
        raise InvalidCodes("not so many codes of this pattern are free; give it more places")
    found = await repository.coupon(session, coupon_id)
    return Imported(count, found.codes_left or 0)


async def as_csv(session: AsyncSession, coupon_id: int) -> AsyncIterator[str]:
    """Every code of the pool in its order, and whether a voucher has it."""
    yield BOM + line(("code", "is_taken"))
    last = 0
    while True:
        own = (CodeRow.coupon_id == coupon_id, CodeRow.position > last)
        query = select(CodeRow.code, CodeRow.is_taken, CodeRow.position).where(*own).order_by(CodeRow.position)
        rows = (await session.execute(query.limit(_BATCH))).all()
        if not rows:
            return
        yield "".join(line((row.code, "true" if row.is_taken else "false")) for row in rows)
        last = rows[-1].position


async def _add(session: AsyncSession, coupon_id: int, codes: Collection[str]) -> int:
    """Put these into the pool, but for those that are in use somewhere; answers how many came in."""
    known = set(await session.scalars(select(VoucherCodeRow.code).where(VoucherCodeRow.code.in_(codes))))
    last = await session.scalar(select(func.max(CodeRow.position)).where(CodeRow.coupon_id == coupon_id)) or 0
    fresh = sorted(set(codes) - known)
    rows = [{"code": code, "coupon_id": coupon_id, "position": last + number} for number, code in enumerate(fresh, 1)]
    if not rows:
        return 0
    adding = upsert(CodeRow).values(rows).on_conflict_do_nothing().returning(CodeRow.code)
    return len(list(await session.scalars(adding)))
