"""Issuing vouchers: once by key, within limits, from pools, by shared codes."""

from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.coupons.errors import (
    CouponEnded,
    CouponGone,
    CouponInactive,
    CouponLimit,
    CouponNotFound,
    CouponNotYet,
    InvalidCodes,
    InvalidCoupon,
    VoucherNotFound,
    VoucherUsed,
)
from crm.coupons.service import counter, definitions, holding, issuing
from crm.coupons.types import Act, CodeSource, Terms, VoucherStatus
from crm.db import clock
from tests.conftest import At
from tests.factories.loyalty import issue, make_coupon
from tests.factories.members import make_member


async def test_a_voucher_is_issued_once_by_its_key(session: AsyncSession) -> None:
    member, coupon = await make_member(session), await make_coupon(session)
    first = await issuing.issue(session, member.id, coupon.id, key="order:7", source="test")
    again = await issuing.issue(session, member.id, coupon.id, key="order:7", source="test")
    assert first == again
    assert (await definitions.get(session, coupon.id)).issued == 1
    assert [voucher.id for voucher in await holding.usable(session, member.id)] == [first.id]
    assert [entry.act for entry in await holding.history(session, first.id)] == [Act.ISSUED]


async def test_limits(session: AsyncSession) -> None:
    coupon = await make_coupon(session, limit_total=2, limit_per_member=1)
    first, second, third = [await make_member(session) for _ in range(3)]
    await issue(session, first.id, coupon)
    with pytest.raises(CouponLimit):
        async with session.begin_nested():
            await issue(session, first.id, coupon)
    await issue(session, second.id, coupon)
    with pytest.raises(CouponGone):
        await issue(session, third.id, coupon)
    assert (await definitions.get(session, coupon.id)).issued == 2


async def test_times_and_switches(session: AsyncSession) -> None:
    member, now = await make_member(session), await clock.now(session)
    day = timedelta(days=1)
    early = await make_coupon(session, starts_at=now + day)
    late = await make_coupon(session, starts_at=now - 2 * day, ends_at=now - day)
    off = await make_coupon(session)
    await definitions.change(session, off.id, is_active=False)
    for coupon, error in ((early, CouponNotYet), (late, CouponEnded), (off, CouponInactive)):
        with pytest.raises(error):
            await issue(session, member.id, coupon)
    with pytest.raises(CouponNotFound):
        await issuing.issue(session, member.id, 2**40, key="x", source="test")


async def test_a_pool_gives_its_codes_in_order_until_it_is_empty(session: AsyncSession) -> None:
    member = await make_member(session)
    coupon = await make_coupon(session, code_source=CodeSource.POOL)
    imported = await definitions.import_codes(session, coupon.id, ["shop-0001", "shop-0002", ""])
    assert (imported.added, imported.left) == (2, 2)
    codes = [(await issue(session, member.id, coupon)).code for _ in range(2)]
    assert codes == ["SHOP0001", "SHOP0002"]
    with pytest.raises(CouponGone):
        await issue(session, member.id, coupon)
    assert (await counter.check(session, "Shop-0002")).voucher is not None


async def test_codes_in_use_are_refused_with_the_whole_list(session: AsyncSession) -> None:
    member = await make_member(session)
    pool, other = [await make_coupon(session, code_source=CodeSource.POOL) for _ in range(2)]
    generated = await issue(session, member.id, await make_coupon(session))
    await definitions.import_codes(session, pool.id, ["AAAA1111"])
    for known in ("aaaa-1111", generated.code):
        with pytest.raises(InvalidCodes, match="in use already"):
            async with session.begin_nested():
                await definitions.import_codes(session, other.id, ["BBBB2222", known])
    assert (await definitions.get(session, other.id)).codes_left == 0
    with pytest.raises(InvalidCoupon, match="generates its codes"):
        await definitions.import_codes(session, (await make_coupon(session)).id, ["CCCC3333"])


async def test_a_shared_code_gives_each_member_one(session: AsyncSession) -> None:
    coupon = await make_coupon(session, shared_code="Spring-26")
    first, second = await make_member(session), await make_member(session)
    mine = await issuing.claim(session, first.id, " spring 26 ")
    assert mine.member_id == first.id
    assert (await issuing.claim(session, second.id, "SPRING26")).id != mine.id
    with pytest.raises(CouponLimit):
        await issuing.claim(session, first.id, "spring26")
    for code in ("spring27", "", "💥"):
        with pytest.raises(CouponNotFound):
            await issuing.claim(session, first.id, code)
    with pytest.raises(InvalidCoupon, match=f"belongs to coupon {coupon.id}"):
        await make_coupon(session, shared_code="SPRING 26")


async def test_a_shared_code_may_be_had_more_often(session: AsyncSession) -> None:
    member = await make_member(session)
    await make_coupon(session, shared_code="TWICE", limit_per_member=2)
    found = {(await issuing.claim(session, member.id, "twice")).id for _ in range(2)}
    assert len(found) == 2
    with pytest.raises(CouponLimit):
        await issuing.claim(session, member.id, "twice")


async def test_changing_a_coupon(session: AsyncSession) -> None:
    member, coupon = await make_member(session), await make_coupon(session, shared_code="HELLO")
    await issue(session, member.id, coupon)
    changed = await definitions.change(session, coupon.id, name={"en": "Renamed"}, shared_code="")
    assert (changed.name, changed.shared_code) == ({"en": "Renamed"}, None)
    terms = coupon.terms
    await definitions.change(session, coupon.id, terms=Terms(terms.kind, terms.value, limit_total=1))
    with pytest.raises(InvalidCoupon, match="kind"):
        await definitions.change(session, coupon.id, terms=Terms(type(terms.kind)("gift")))
    await issue(session, member.id, await make_coupon(session))
    with pytest.raises(CouponNotFound):
        await definitions.change(session, 2**40, name={"en": "x"})


async def test_an_unused_voucher_can_be_cancelled_once(session: AsyncSession) -> None:
    member, coupon = await make_member(session), await make_coupon(session)
    voucher, used = await issue(session, member.id, coupon), await issue(session, member.id, coupon)
    for _ in range(2):
        cancelled = await issuing.cancel(session, voucher.id, reason="mistake", by="operator:1")
        assert cancelled.status is VoucherStatus.CANCELLED
    assert len(await holding.history(session, voucher.id)) == 2
    await counter.use(session, [used.code], key="k", by="x")
    with pytest.raises(VoucherUsed):
        await issuing.cancel(session, used.id, reason="mistake", by="operator:1")


async def test_a_voucher_is_shown_to_its_owner_only(session: AsyncSession) -> None:
    member, other = await make_member(session), await make_member(session)
    voucher = await issue(session, member.id, await make_coupon(session))
    shown, picture = await holding.show(session, member.id, voucher.id)
    assert shown.id == voucher.id
    assert (await holding.show(session, member.id, voucher.id))[1] == picture
    with pytest.raises(VoucherNotFound):
        await holding.show(session, other.id, voucher.id)


async def test_vouchers_run_out(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T08:00:00Z")
    member = await make_member(session)
    short = await issue(session, member.id, await make_coupon(session, valid_days=1))
    long = await issue(session, member.id, await make_coupon(session, valid_days=9))
    assert await holding.expire_due(session) == 0
    await at(session, "2026-03-02T08:00:00Z")
    assert [voucher.id for voucher in await holding.usable(session, member.id)] == [long.id]
    assert (await holding.expire_due(session), await holding.expire_due(session)) == (1, 0)
    assert (await holding.get(session, short.id)).status is VoucherStatus.EXPIRED


async def test_lists_go_on_where_they_ended(session: AsyncSession) -> None:
    member, coupon = await make_member(session), await make_coupon(session)
    made = [(await issue(session, member.id, coupon)).id for _ in range(5)]
    first = await holding.listing(session, coupon_id=coupon.id, limit=3)
    rest = await holding.listing(session, coupon_id=coupon.id, limit=3, cursor=first.next_cursor)
    assert [voucher.id for voucher in [*first.items, *rest.items]] == made[::-1]
    assert rest.next_cursor is None
    assert (await holding.listing(session, member_id=member.id, status=VoucherStatus.USED)).items == []
