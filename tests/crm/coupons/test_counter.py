"""The counter: looking up, using once, giving back."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.coupons.errors import (
    InvalidCodes,
    SpendTooLittle,
    UseKeyReused,
    VoucherCancelled,
    VoucherExpired,
    VoucherNotFound,
    VoucherNotUsed,
    VoucherNotYet,
    VoucherNotYours,
    VouchersDoNotCombine,
    VoucherUsed,
)
from crm.coupons.service import counter, holding, issuing
from crm.coupons.types import Act, CouponKind, Stacking, Verdict, Voucher, VoucherStatus
from crm.db import clock
from crm.db.session import Sessions
from crm.members import merging
from tests.conftest import At
from tests.factories.loyalty import issue, make_coupon
from tests.factories.members import make_member


async def test_looking_changes_nothing(session: AsyncSession) -> None:
    member, other = await make_member(session), await make_member(session)
    voucher = await issue(session, member.id, await make_coupon(session, minimum_spend=Decimal(50)))
    found = await counter.check(session, voucher.code.lower(), member_id=member.id, amount=Decimal(80))
    assert (found.verdict, found.discount, found.problem) == (Verdict.VALID, Decimal(10), None)
    low = await counter.check(session, voucher.code, amount=Decimal(20))
    assert (low.verdict, low.discount) == (Verdict.VALID, None)
    assert low.problem
    assert (await counter.check(session, voucher.code, member_id=other.id)).verdict is Verdict.NOT_YOURS
    assert (await counter.check(session, "no such code")).verdict is Verdict.UNKNOWN
    assert (await holding.get(session, voucher.id)) == voucher


async def test_a_voucher_is_used_once(session: AsyncSession) -> None:
    member = await make_member(session)
    voucher = await issue(session, member.id, await make_coupon(session))
    done = await counter.use(session, [voucher.code], key="till:1", by="operator:2", amount=Decimal(8), reference="A1")
    assert (done.is_new, done.discount) == (True, Decimal(8))
    assert done.vouchers[0].status is VoucherStatus.USED
    assert (done.vouchers[0].used_by, done.vouchers[0].reference) == ("operator:2", "A1")
    again = await counter.use(session, [voucher.code], key="till:1", by="operator:2", amount=Decimal(8))
    assert (again.is_new, again.discount, again.vouchers) == (False, done.discount, done.vouchers)
    with pytest.raises(VoucherUsed) as caught:
        async with session.begin_nested():
            await counter.use(session, [voucher.code], key="till:2", by="operator:2")
    assert caught.value.facts["used_at"] == done.vouchers[0].used_at
    assert (await counter.check(session, voucher.code)).verdict is Verdict.USED


async def test_a_key_is_for_one_order(session: AsyncSession) -> None:
    member, coupon = await make_member(session), await make_coupon(session)
    one, two = await issue(session, member.id, coupon), await issue(session, member.id, coupon)
    await counter.use(session, [one.code], key="till:1", by="x")
    with pytest.raises(UseKeyReused):
        await counter.use(session, [two.code], key="till:1", by="x")


async def test_what_cannot_be_used(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T08:00:00Z")
    now = await clock.now(session)
    member, other = await make_member(session), await make_member(session)
    short = await issue(session, member.id, await make_coupon(session, valid_days=1))
    gone = await issue(session, member.id, await make_coupon(session))
    await issuing.cancel(session, gone.id, reason="x", by="y")
    mine = await issue(session, member.id, await make_coupon(session, minimum_spend=Decimal(50)))
    await at(session, "2026-03-03T08:00:00Z")
    cases: list[tuple[Voucher, type[Exception], dict[str, Any]]]
    cases = [(short, VoucherExpired, {}), (gone, VoucherCancelled, {})]
    cases += [(mine, VoucherNotYours, {"member_id": other.id}), (mine, SpendTooLittle, {"amount": Decimal(49)})]
    for number, (voucher, error, given) in enumerate(cases):
        with pytest.raises(error):
            async with session.begin_nested():
                await counter.use(session, [voucher.code], key=f"k:{number}", by="x", **given)
    assert (await holding.get(session, mine.id)).status is VoucherStatus.ISSUED
    with pytest.raises(VoucherNotFound):
        await counter.use(session, ["nothing"], key="k", by="x")
    for codes in ([], [mine.code, mine.code.lower()], [str(number) * 5 for number in range(11)]):
        with pytest.raises(InvalidCodes):
            await counter.use(session, codes, key="k", by="x")
    assert now < await clock.now(session)


async def test_not_valid_yet(session: AsyncSession) -> None:
    member, now = await make_member(session), await clock.now(session)
    coupon = await make_coupon(session, starts_at=now - timedelta(days=1))
    voucher = await issue(session, member.id, coupon)
    assert voucher.valid_from == now
    later = text("UPDATE vouchers SET valid_from = valid_from + interval '1 day' WHERE id = :id")
    await session.execute(later, {"id": voucher.id})
    assert (await counter.check(session, voucher.code)).verdict is Verdict.NOT_YET
    with pytest.raises(VoucherNotYet):
        await counter.use(session, [voucher.code], key="k", by="x")


async def test_several_are_used_together_or_not_at_all(session: AsyncSession) -> None:
    member = await make_member(session)
    any_kind = await make_coupon(session, stacking=Stacking.ANY)
    percent = await make_coupon(session, kind=CouponKind.PERCENT, value="20", stacking=Stacking.ANY)
    alone = await issue(session, member.id, await make_coupon(session))
    one, two = await issue(session, member.id, any_kind), await issue(session, member.id, percent)
    with pytest.raises(VouchersDoNotCombine):
        async with session.begin_nested():
            await counter.use(session, [one.code, alone.code], key="k:1", by="x", amount=Decimal(100))
    assert (await holding.get(session, one.id)).status is VoucherStatus.ISSUED
    done = await counter.use(session, [one.code, two.code], key="k:2", by="x", amount=Decimal(100))
    assert done.discount == 30


async def test_a_use_can_be_taken_back(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T08:00:00Z")
    member = await make_member(session)
    voucher = await issue(session, member.id, await make_coupon(session, valid_days=2))
    with pytest.raises(VoucherNotUsed):
        await counter.roll_back(session, voucher.code, reason="x", by="y")
    await counter.use(session, [voucher.code], key="k:1", by="x")
    back = await counter.roll_back(session, voucher.code, reason="returned", by="operator:1")
    assert (back.status, back.used_at) == (VoucherStatus.ISSUED, None)
    await counter.use(session, [voucher.code], key="k:2", by="x")
    await at(session, "2026-03-09T08:00:00Z")
    late = await counter.roll_back(session, voucher.code, reason="returned", by="operator:1")
    assert late.status is VoucherStatus.EXPIRED
    acts = [entry.act for entry in await holding.history(session, voucher.id)]
    assert acts == [Act.ISSUED, Act.USED, Act.ROLLED_BACK, Act.USED, Act.ROLLED_BACK]


async def test_of_a_hundred_tills_one_uses_it(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        member = await make_member(session)
        voucher = await issue(session, member.id, await make_coupon(session))
    room = asyncio.Semaphore(40)

    async def use(number: int) -> bool:
        try:
            async with room, committed_sessions.begin() as session:
                await counter.use(session, [voucher.code], key=f"till:{number}", by=f"till:{number}")
        except VoucherUsed:
            return False
        return True

    assert sum(await asyncio.gather(*(use(number) for number in range(100)))) == 1


async def test_vouchers_follow_a_merge_and_come_back(session: AsyncSession) -> None:
    keep, drop = await make_member(session), await make_member(session)
    coupon = await make_coupon(session, limit_per_member=2)
    kept, dropped = await issue(session, keep.id, coupon), await issue(session, drop.id, coupon)
    merged = await merging.merge(session, keep.id, drop.id, by="x")
    assert {voucher.id for voucher in await holding.usable(session, keep.id)} == {kept.id, dropped.id}
    assert (await counter.check(session, dropped.code, member_id=drop.id)).verdict is Verdict.VALID
    await merging.undo(session, merged, by="x")
    assert [voucher.id for voucher in await holding.usable(session, drop.id)] == [dropped.id]
    await issue(session, keep.id, coupon)
