"""Orders: recorded once, counted in the profile, listed by pages."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.db.session import Sessions
from crm.events.service import timeline
from crm.kit.paging import InvalidCursor, encode_cursor
from crm.members.errors import MemberNotFound
from crm.orders import service
from crm.orders.errors import InvalidOrder, OrderDiffers, OrderNotFound
from crm.orders.types import OrderItem
from crm.profiles import service as profiles
from tests.factories.members import make_member
from tests.factories.orders import new_order


async def test_an_order_is_recorded_counted_and_announced_once(session: AsyncSession) -> None:
    member = await make_member(session)
    new = replace(new_order(member.id, "88.5"), items=[OrderItem("乌龙茶", 2, Decimal("44.25"), "OL-1")])
    first, again = await service.record(session, new), await service.record(session, new)
    assert (first.is_new, again.is_new) == (True, False)
    assert again.id == first.id
    assert first.items == new.items
    profile = await profiles.get(session, member.id)
    assert (profile.orders_count, profile.orders_total) == (1, Decimal("88.50"))
    assert profile.first_order_at == profile.last_order_at == new.placed_at
    (placed,) = await timeline(session, member.id, kinds=["order_placed"])
    assert (placed.occurred_at, placed.data["amount"]) == (new.placed_at, "88.50")


async def test_the_same_number_with_another_amount_is_a_conflict(session: AsyncSession) -> None:
    member = await make_member(session)
    await service.record(session, new_order(member.id, "10", external_id="A-1"))
    with pytest.raises(OrderDiffers):
        await service.record(session, new_order(member.id, "11", external_id="A-1"))


async def test_old_and_new_orders_move_both_ends(session: AsyncSession) -> None:
    member = await make_member(session)
    days = [datetime(2026, 1, day, tzinfo=UTC) for day in (10, 5, 20)]
    for day in days:
        await service.record(session, new_order(member.id, "1", placed_at=day))
    await service.record(session, new_order(member.id, "500", status="cancelled"))
    profile = await profiles.get(session, member.id)
    assert (profile.orders_count, profile.orders_total) == (3, Decimal(3))
    assert (profile.first_order_at, profile.last_order_at) == (days[1], days[2])


async def test_the_same_order_many_times_at_once_counts_once(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        member = await make_member(session)

    async def send(number: int) -> bool:
        async with committed_sessions.begin() as own:
            return (await service.record(own, new_order(member.id, "10", external_id=f"A-{number % 3}"))).is_new

    assert sum(await asyncio.gather(*(send(number) for number in range(12)))) == 3
    async with committed_sessions() as session:
        profile = await profiles.get(session, member.id)
        assert (profile.orders_count, profile.orders_total) == (3, Decimal(30))


@pytest.mark.parametrize("amount", ["-1", "NaN", "Infinity", "1.001", "1e13", "1000000000000"])
async def test_a_senseless_amount_is_refused(session: AsyncSession, amount: str) -> None:
    member = await make_member(session)
    with pytest.raises(InvalidOrder):
        await service.record(session, new_order(member.id, amount))
    assert (await profiles.get(session, member.id)).orders_count == 0


async def test_other_senseless_orders_are_refused(session: AsyncSession) -> None:
    member = await make_member(session)
    new = new_order(member.id)
    now = await clock.now(session)
    for wrong in (
        replace(new, currency="USD"),
        replace(new, placed_at=new.placed_at.replace(tzinfo=None)),
        replace(new, placed_at=now + timedelta(days=1)),
        replace(new, placed_at=datetime(1, 1, 1, tzinfo=UTC)),
        replace(new, external_id=" \x00"),
        replace(new, external_id="x" * 129),
        replace(new, status="paid?"),
        replace(new, items=[OrderItem("")]),
        replace(new, items=[OrderItem("tea", 0)]),
        replace(new, items=[OrderItem("tea")] * 201),
    ):
        with pytest.raises(InvalidOrder):
            await service.record(session, wrong)
    with pytest.raises(MemberNotFound):
        await service.record(session, new_order(2**62))
    with pytest.raises(OrderNotFound):
        await service.find(session, "shop", "never")


async def test_orders_are_listed_by_pages(session: AsyncSession) -> None:
    one, two = await make_member(session), await make_member(session)
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    made = [await service.record(session, new_order(one.id, placed_at=moment)) for _ in range(3)]
    await service.record(session, new_order(two.id))
    first = await service.listing(session, member_id=one.id, limit=2)
    rest = await service.listing(session, member_id=one.id, limit=2, cursor=first.next_cursor)
    assert [order.id for order in first.items + rest.items] == [order.id for order in reversed(made)]
    assert rest.next_cursor is None
    assert len((await service.listing(session)).items) == 4
    for cursor in ("x", encode_cursor("yesterday", 1), encode_cursor("2026-01-01T00:00:00", 1)):
        with pytest.raises(InvalidCursor):
            await service.listing(session, cursor=cursor)
