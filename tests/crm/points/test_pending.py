"""Pending points: in the ledger from the start, spendable from a time or an act on, once."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.events import service as events
from crm.points import history, pending, service
from crm.points.errors import (
    InsufficientPoints,
    InvalidPending,
    PendingNotFound,
    PendingResolved,
    PostingKeyReused,
)
from crm.points.models import LotRow
from crm.points.types import EntryKind
from crm.points.validity import Validity
from tests.conftest import At
from tests.factories.members import make_member
from tests.factories.points import assert_sound, give


async def test_pending_points_are_shown_but_cannot_be_spent(session: AsyncSession) -> None:
    member = await make_member(session)
    soon = await clock.now(session) + timedelta(days=14)
    made = await pending.earn(session, member.id, 100, rule="order_rate", key="p", activates_at=soon)
    assert (made.is_new, made.points, made.balance) == (True, 100, 0)
    found = await service.summary(session, member.id)
    assert [(item.points, item.activates_at, item.reason) for item in found.pending] == [(100, soon, "order_rate")]
    assert found.entries == []
    with pytest.raises(InsufficientPoints):
        await service.redeem(session, member.id, 1, reason="tea", key="k")
    again = await pending.earn(session, member.id, 100, rule="order_rate", key="p", activates_at=soon)
    assert (again.is_new, again.transaction_id) == (False, made.transaction_id)
    with pytest.raises(PostingKeyReused):
        await pending.earn(session, member.id, 99, rule="order_rate", key="p", activates_at=soon)
    assert len(await events.timeline(session, member.id, kinds=["points_pending"])) == 1
    assert (await history.balance_at(session, member.id)).pending == 100
    await assert_sound(session)


async def test_an_act_makes_them_spendable_once(session: AsyncSession) -> None:
    member = await make_member(session)
    await pending.earn(session, member.id, 40, rule="referral", key="p")
    assert await pending.activate_due(session) == 0
    made = await pending.activate(session, "p")
    assert (made.is_new, made.points, made.balance) == (True, 40, 40)
    again = await pending.activate(session, "p")
    assert (again.is_new, again.transaction_id, again.balance) == (False, made.transaction_id, 40)
    with pytest.raises(PendingResolved):
        await pending.cancel(session, "p", reason="late")
    found = await service.summary(session, member.id)
    assert (found.pending, found.entries[0].kind, found.entries[0].reason) == ([], EntryKind.ACTIVATE, "referral")
    facts = await events.timeline(session, member.id, kinds=["points_earned"])
    assert [(fact.data["points"], fact.data["rule"]) for fact in facts] == [(40, "referral")]
    await assert_sound(session)


async def test_cancelled_points_are_gone_once(session: AsyncSession) -> None:
    member = await make_member(session)
    await pending.earn(session, member.id, 40, rule="referral", key="p")
    made = await pending.cancel(session, "p", reason="the friend left")
    assert (made.is_new, made.points, made.balance) == (True, -40, 0)
    assert not (await pending.cancel(session, "p", reason="the friend left")).is_new
    with pytest.raises(PendingResolved):
        await pending.activate(session, "p")
    for act in (pending.activate(session, "other"), pending.cancel(session, "other", reason="x")):
        with pytest.raises(PendingNotFound):
            await act
    await assert_sound(session)


async def test_the_tick_activates_what_is_due_as_one_set_and_debts_come_first(session: AsyncSession, at: At) -> None:
    now = await at(session, "2026-03-01T08:00+08:00")
    debtor, other = await make_member(session), await make_member(session)
    earned = await give(session, debtor.id, 50)
    await service.redeem(session, debtor.id, 50, reason="tea", key="spend")
    await service.reverse(session, earned.transaction_id, reason="mistake", key="back")
    for number, (owner, points, days) in enumerate(
        [(debtor, 30, 1), (debtor, 30, 2), (debtor, 5, 2), (other, 7, 1), (other, 9, 9)]
    ):
        due = now + timedelta(days=days)
        await pending.earn(session, owner.id, points, rule="order_rate", key=f"p{number}", activates_at=due)
    await at(session, "2026-03-04T08:00+08:00")
    assert await pending.activate_due(session, 3) == 3
    assert await pending.activate_due(session) == 1
    assert await pending.activate_due(session) == 0
    found = await service.summary(session, debtor.id)
    assert (found.balance, found.debt, found.pending) == (15, 0, [])
    assert [await service.balance(session, member.id) for member in (debtor, other)] == [15, 7]
    assert [entry.points for entry in found.entries] == [5, 10, -50, 50]
    assert found.entries[0].at == now + timedelta(days=2)
    facts = await events.timeline(session, debtor.id, kinds=["points_earned"])
    assert sorted(fact.data["balance"] for fact in facts) == [0, 10, 15, 50]
    await assert_sound(session)


async def test_expiry_counts_from_earning_or_activation(session: AsyncSession, at: At) -> None:
    now = await at(session, "2026-01-15T10:00+08:00")
    member = await make_member(session)
    rules = {
        "a": Validity(expires_after_months=2),
        "b": Validity.model_validate({"expires_after_months": 2, "expiry_counts_from": "activation"}),
    }
    for key, validity in rules.items():
        due = now + timedelta(days=31)
        await pending.earn(session, member.id, 10, rule="gift", key=key, activates_at=due, validity=validity)
        await pending.earn(session, member.id, 10, rule="gift", key=f"{key}2", validity=validity)
    active = await at(session, "2026-02-15T10:00+08:00")
    assert await pending.activate_due(session) == 2
    for key in rules:
        await pending.activate(session, f"{key}2")
    ends = await session.scalars(select(LotRow.expires_at).where(LotRow.member_id == member.id).order_by(LotRow.id))
    months = [end.month for end in ends if end is not None]
    assert months == [3, 4, 3, 4]
    assert active.month == 2
    await assert_sound(session)


@pytest.mark.parametrize("days", [-1, 0, 4000])
async def test_a_time_that_makes_no_sense_is_refused(session: AsyncSession, days: int) -> None:
    member = await make_member(session)
    when = await clock.now(session) + timedelta(days=days)
    with pytest.raises(InvalidPending):
        await pending.earn(session, member.id, 1, rule="gift", key="p", activates_at=when)
    assert await pending.of_member(session, member.id) == []
