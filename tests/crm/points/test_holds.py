"""Held points: set aside, then spent or given back, once, or given back when their time is over."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.db.session import Sessions
from crm.events import service as events
from crm.points import history, holds, jobs, service
from crm.points.errors import (
    HoldNotFound,
    HoldRanOut,
    HoldResolved,
    InsufficientPoints,
    InvalidHold,
    PointsOutOfRange,
    PostingKeyReused,
)
from crm.points.models import LotRow
from tests.conftest import At
from tests.factories.members import make_member
from tests.factories.points import assert_sound, give

HOUR = timedelta(hours=1)


async def _held(session: AsyncSession, points: int = 30, *, had: int = 100) -> int:
    member = await make_member(session)
    await give(session, member.id, had)
    until = await clock.now(session) + HOUR
    await holds.hold(session, member.id, points, reason="order 7", key="h", until=until)
    return member.id


async def test_held_points_cannot_be_spent_and_show(session: AsyncSession) -> None:
    member_id = await _held(session)
    found = await service.summary(session, member_id)
    assert (found.balance, [(item.key, item.points) for item in found.held]) == (70, [("h", 30)])
    assert (await history.balance_at(session, member_id)).held == 30
    with pytest.raises(InsufficientPoints) as refused:
        await service.redeem(session, member_id, 71, reason="tea", key="k")
    assert refused.value.facts["balance"] == 70
    again = await holds.hold(session, member_id, 30, reason="order 7", key="h", until=await clock.now(session) + HOUR)
    assert (again.is_new, again.balance) == (False, 70)
    with pytest.raises(PostingKeyReused):
        await holds.hold(session, member_id, 31, reason="order 7", key="h", until=await clock.now(session) + HOUR)
    await assert_sound(session)


async def test_a_hold_is_spent_once_and_can_be_reversed(session: AsyncSession) -> None:
    member_id = await _held(session)
    made = await holds.post(session, "h")
    assert (made.is_new, made.points, made.balance) == (True, -30, 70)
    again = await holds.post(session, "h")
    assert (again.is_new, again.transaction_id, again.member_id) == (False, made.transaction_id, member_id)
    with pytest.raises(HoldResolved):
        await holds.void(session, "h")
    facts = await events.timeline(session, member_id, kinds=["points_redeemed"])
    assert [(fact.data["points"], fact.data["reason"]) for fact in facts] == [(30, "order 7")]
    await assert_sound(session)
    back = await service.reverse(session, made.transaction_id, reason="sold out", key="back")
    assert (back.points, back.balance) == (30, 100)
    await assert_sound(session)


async def test_a_hold_given_back_keeps_its_expiry(session: AsyncSession) -> None:
    member = await make_member(session)
    now = await clock.now(session)
    await give(session, member.id, 10, expires_at=now + timedelta(days=3))
    await give(session, member.id, 10)
    await holds.hold(session, member.id, 15, reason="order", key="h", until=now + HOUR)
    made = await holds.void(session, "h")
    assert (made.points, made.balance) == (15, 20)
    assert not (await holds.void(session, "h")).is_new
    with pytest.raises(HoldResolved):
        await holds.post(session, "h")
    lots = select(LotRow.remaining, LotRow.expires_at).where(LotRow.remaining > 0).order_by(LotRow.id)
    found = [tuple(row) for row in await session.execute(lots)]
    assert found == [(5, None), (10, now + timedelta(days=3)), (5, None)]
    await assert_sound(session)


async def test_time_over_gives_back_and_refuses_to_spend(session: AsyncSession, at: At) -> None:
    now = await at(session, "2026-03-01T08:00+08:00")
    member = await make_member(session)
    await give(session, member.id, 20, expires_at=now + timedelta(minutes=90))
    await holds.hold(session, member.id, 5, reason="order", key="h", until=now + HOUR)
    await holds.hold(session, member.id, 5, reason="order", key="later", until=now + 3 * HOUR)
    assert await holds.void_due(session) == 0
    await at(session, "2026-03-01T09:00+08:00")
    with pytest.raises(HoldRanOut):
        await holds.post(session, "h")
    assert await holds.void_due(session) == 1
    assert await holds.void_due(session) == 0
    assert await service.balance(session, member.id) == 15
    with pytest.raises(HoldResolved):
        await holds.post(session, "h")
    await at(session, "2026-03-01T10:00+08:00")
    assert await service.expire_due(session) == 2
    spent = await holds.post(session, "later")
    assert (spent.balance, spent.points) == (0, -5)
    facts = await events.timeline(session, member.id, kinds=["points_released"])
    assert [(fact.data["points"], fact.data["reason"]) for fact in facts] == [(5, holds.RAN_OUT)]
    await assert_sound(session)


async def test_what_cannot_be_held_is_refused_and_changes_nothing(session: AsyncSession) -> None:
    member = await make_member(session)
    await give(session, member.id, 10)
    now = await clock.now(session)
    with pytest.raises(InsufficientPoints):
        await holds.hold(session, member.id, 11, reason="order", key="h", until=now + HOUR)
    for until in (now, now - HOUR, now + timedelta(days=367), (now + HOUR).replace(tzinfo=None)):
        with pytest.raises(InvalidHold):
            await holds.hold(session, member.id, 1, reason="order", key="h", until=until)
    with pytest.raises(PointsOutOfRange):
        await holds.hold(session, member.id, 0, reason="order", key="h", until=now + HOUR)
    for act in (holds.post(session, "h"), holds.void(session, "h")):
        with pytest.raises(HoldNotFound):
            await act
    assert (await service.summary(session, member.id)).balance == 10


async def test_a_hold_is_resolved_once_however_many_try(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        member_id = await _held(session, 60)

    async def resolve(number: int) -> bool:
        try:
            async with committed_sessions.begin() as session:
                made = await (holds.post if number % 2 else holds.void)(session, "h")
                return made.is_new
        except HoldResolved:
            return False

    assert sum(await asyncio.gather(*(resolve(number) for number in range(20)))) == 1
    async with committed_sessions() as session:
        assert await service.balance(session, member_id) in {40, 100}
        await assert_sound(session)


async def test_the_ticks_have_nothing_to_do_without_anything_due(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        await _held(session)
    assert [await work.run(sessions) for work in (jobs.void_holds, jobs.activate, jobs.expire)] == [0, 0, 0]
