"""Refunds: once per key, never more than was paid; the profile follows and points go back in proportion."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brands
from crm.brand.errors import InvalidBrandError
from crm.brand.types import Shortfall
from crm.db import clock
from crm.db.session import Sessions
from crm.events import service as events
from crm.members import merging
from crm.orders import refunds, service
from crm.orders.errors import (
    InvalidRefund,
    OrderNotFound,
    OrderNotPaid,
    OrderRefundedBefore,
    RefundKeyReused,
    RefundTooLarge,
)
from crm.orders.types import Order, OrderStatus
from crm.points import pending, subscribers, taking_back
from crm.points import service as points
from crm.points.taking_back import still_earned
from crm.profiles import service as profiles
from tests.factories.members import make_member
from tests.factories.orders import new_order
from tests.factories.points import assert_sound


async def _order(session: AsyncSession, member_id: int, amount: str = "1000") -> Order:
    """An order of 1000 earns 100 points by the shipped rate."""
    await points.ensure_defaults(session)
    at = await clock.now(session)
    return await service.record(session, new_order(member_id, amount, external_id="A-1", placed_at=at))


async def _handle(session: AsyncSession, member_id: int, kind: str, subscriber: Any) -> None:
    for event in await events.timeline(session, member_id, kinds=[kind]):
        await subscriber.handle(session, event)


async def _award(session: AsyncSession, member_id: int) -> None:
    await _handle(session, member_id, "order_placed", subscribers.award)


async def _take_back(session: AsyncSession, member_id: int) -> None:
    await _handle(session, member_id, "order_refunded", subscribers.take_back)


async def _refund(session: AsyncSession, order: Order, amount: str | None, key: str) -> Decimal:
    value = None if amount is None else Decimal(amount)
    return (await refunds.refund(session, order.source, order.external_id, amount=value, key=key)).amount


async def test_parts_and_the_rest_are_returned_and_the_profile_follows(session: AsyncSession) -> None:
    member = await make_member(session)
    order = await _order(session, member.id)
    assert await _refund(session, order, "300.50", "r1") == Decimal("300.50")
    profile = await profiles.get(session, member.id)
    assert (profile.orders_count, profile.orders_total) == (1, Decimal("699.50"))
    assert await _refund(session, order, None, "r2") == Decimal("699.50")
    found = await service.find(session, order.source, order.external_id)
    assert (found.status, found.refunded) == (OrderStatus.REFUNDED, Decimal("1000.00"))
    profile = await profiles.get(session, member.id)
    assert (profile.orders_count, profile.orders_total, profile.last_order_at) == (0, Decimal(0), None)
    facts = await events.timeline(session, member.id, kinds=["order_refunded"])
    assert sorted(fact.data["refunded"] for fact in facts) == ["1000.00", "300.50"]


async def test_a_key_returns_once_and_a_refunded_order_is_refused(session: AsyncSession) -> None:
    member = await make_member(session)
    order = await _order(session, member.id)
    first = await refunds.refund(session, order.source, order.external_id, amount=Decimal(400), key="r1")
    again = await refunds.refund(session, order.source, order.external_id, amount=Decimal(400), key="r1")
    assert (first.is_new, again.is_new, again.order.refunded) == (True, False, Decimal(400))
    with pytest.raises(RefundKeyReused):
        await _refund(session, order, "401", "r1")
    with pytest.raises(RefundTooLarge) as refused:
        await _refund(session, order, "600.01", "r2")
    assert refused.value.facts["left"] == "600.00"
    await _refund(session, order, None, "r3")
    with pytest.raises(OrderRefundedBefore):
        await _refund(session, order, None, "r4")


@pytest.mark.parametrize("amount", ["0", "-1", "0.001", "NaN", "Infinity"])
async def test_amounts_that_make_no_sense_are_refused(session: AsyncSession, amount: str) -> None:
    member = await make_member(session)
    order = await _order(session, member.id)
    with pytest.raises(InvalidRefund):
        await _refund(session, order, amount, "r1")
    for key in ("", "k" * 129, "a\x00"):
        with pytest.raises(InvalidRefund):
            await _refund(session, order, "1", key)
    assert (await service.find(session, order.source, order.external_id)).refunded == 0


async def test_only_paid_orders_that_are_there_are_refunded(session: AsyncSession) -> None:
    member = await make_member(session)
    await service.record(session, new_order(member.id, "5", external_id="C-1", status="cancelled"))
    with pytest.raises(OrderNotPaid):
        await refunds.refund(session, new_order(member.id, "5").source, "C-1", key="r")
    with pytest.raises(OrderNotFound):
        await refunds.refund(session, "shop", "nowhere", key="r")


async def test_points_go_back_in_proportion_and_whole_at_last(session: AsyncSession) -> None:
    member = await make_member(session)
    order = await _order(session, member.id)
    await _award(session, member.id)
    await _refund(session, order, "333.33", "r1")
    await _take_back(session, member.id)
    assert await points.balance(session, member.id) == 66
    await _take_back(session, member.id)
    assert await points.balance(session, member.id) == 66
    await _refund(session, order, None, "r2")
    await _take_back(session, member.id)
    assert await points.balance(session, member.id) == 0
    reasons = {entry.reason for entry in (await points.summary(session, member.id)).entries}
    assert reasons == {"order_rate", f"refund of order {order.id}"}
    await assert_sound(session)


async def test_a_refund_that_is_handled_before_the_award_leaves_nothing(session: AsyncSession) -> None:
    member = await make_member(session)
    order = await _order(session, member.id)
    await _refund(session, order, None, "r1")
    await _take_back(session, member.id)
    await _award(session, member.id)
    assert await points.balance(session, member.id) == 0
    await assert_sound(session)


async def test_spent_points_become_a_debt_or_are_written_off(session: AsyncSession) -> None:
    for shortfall, owed in ((Shortfall.DEBT, 70), (Shortfall.WRITE_OFF, 0)):
        await brands.change(session, points_shortfall=shortfall)
        member = await make_member(session)
        await points.ensure_defaults(session)
        new = new_order(member.id, "1000", external_id=str(shortfall), placed_at=await clock.now(session))
        order = await service.record(session, new)
        await _award(session, member.id)
        await points.redeem(session, member.id, 70, reason="tea", key=f"spend:{shortfall}")
        await _refund(session, order, None, "r1")
        await _take_back(session, member.id)
        found = await points.summary(session, member.id)
        assert (found.balance, found.debt) == (0, owed)
        await assert_sound(session)
    with pytest.raises(InvalidBrandError):
        await brands.change(session, points_shortfall="forgive")


async def test_pending_points_of_the_order_go_first(session: AsyncSession) -> None:
    member = await make_member(session)
    order = await service.record(session, new_order(member.id, "100", external_id="A-1"))
    (placed,) = await events.timeline(session, member.id, kinds=["order_placed"])
    due = await clock.now(session) + timedelta(days=14)
    await pending.earn(
        session,
        member.id,
        10,
        rule="purchase",
        key="p",
        activates_at=due,
        earned_at=placed.occurred_at,
        event_id=placed.id,
    )
    await _refund(session, order, "45", "r1")
    await _take_back(session, member.id)
    assert [item.points for item in (await points.summary(session, member.id)).pending] == [5]
    await pending.activate(session, "p")
    assert await points.balance(session, member.id) == 5
    await _refund(session, order, None, "r2")
    await _take_back(session, member.id)
    assert await points.balance(session, member.id) == 0
    await assert_sound(session)


async def test_a_reversed_award_is_not_taken_twice(session: AsyncSession) -> None:
    member = await make_member(session)
    order = await _order(session, member.id)
    await _award(session, member.id)
    (entry,) = (await points.summary(session, member.id)).entries
    await points.reverse(session, entry.transaction_id, reason="mistake", key="back")
    await _refund(session, order, None, "r1")
    await _take_back(session, member.id)
    found = await points.summary(session, member.id)
    assert (found.balance, found.debt) == (0, 0)
    await assert_sound(session)


async def test_points_of_a_merged_member_are_taken_from_the_kept_one(session: AsyncSession) -> None:
    keep, drop = await make_member(session), await make_member(session)
    order = await _order(session, drop.id)
    await _award(session, drop.id)
    await merging.merge(session, keep.id, drop.id, by="operator:1")
    await _refund(session, order, None, "r1")
    await _take_back(session, keep.id)
    assert [await points.balance(session, member.id) for member in (keep, drop)] == [0, 0]
    await assert_sound(session)


async def test_many_refunds_at_once_return_no_more_than_was_paid(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        member = await make_member(session)
        order = await service.record(session, new_order(member.id, "100", external_id="A-1"))

    async def refund(number: int) -> bool:
        try:
            async with committed_sessions.begin() as session:
                await _refund(session, order, "40", f"r{number}")
        except RefundTooLarge:
            return False
        return True

    assert sum(await asyncio.gather(*(refund(number) for number in range(12)))) == 2
    async with committed_sessions() as session:
        assert (await service.find(session, order.source, order.external_id)).refunded == Decimal(80)


@pytest.mark.parametrize(
    ("points_earned", "paid", "returned", "kept"),
    [(100, "1000", "0", 100), (100, "1000", "0.01", 99), (100, "1000", "1000", 0), (3, "9", "6", 1), (0, "0", "0", 0)],
)
def test_what_remains_is_rounded_down(points_earned: int, paid: str, returned: str, kept: int) -> None:
    assert still_earned(points_earned, Decimal(paid), Decimal(returned)) == kept
    assert taking_back.still_earned(points_earned, Decimal(paid), Decimal(paid)) == 0
