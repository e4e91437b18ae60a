"""Rules whose points can be spent later: after some days, or with the member's next order, whichever comes first."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.events import service as events
from crm.events.catalogue import CustomEvent, OrderPlaced
from crm.events.types import RecordedEvent
from crm.members import merging
from crm.points import earning_rules, pending, service, taking_back, telling
from crm.points.errors import InvalidRule
from crm.points.subscribers import acted
from crm.points.types import EarningRule, spendable, waiting
from tests.conftest import At
from tests.factories.members import make_member
from tests.factories.points import assert_sound

BONUS = {"points": 100, "event_name": "visit"}


async def _rule(session: AsyncSession, terms: dict[str, Any] | None = None, **starting: Any) -> EarningRule:
    parameters = {**BONUS, **starting}
    return await earning_rules.create(
        session, kind="custom_event", name="Visit", parameters=parameters, terms=terms or {}
    )


async def _visit(session: AsyncSession, member_id: int) -> RecordedEvent:
    return await events.publish(session, CustomEvent(member_id=member_id, name="visit"))


async def _order(session: AsyncSession, member_id: int) -> RecordedEvent:
    now = await clock.now(session)
    fact = OrderPlaced(member_id=member_id, order_id=1, amount=Decimal(50), currency="CNY", placed_at=now)
    return await events.publish(session, fact)


async def test_points_become_spendable_after_some_days(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T10:00+08:00")
    member_id = (await make_member(session)).id
    rule = await _rule(session, active_after_days=14, expires_after_months=6)
    visit = await _visit(session, member_id)
    (award,) = await service.award(session, visit)
    assert (award.is_new, award.is_pending, award.points, award.balance) == (True, True, 100, 0)
    assert (spendable([award]), waiting([award])) == (0, 100)
    (again,) = await service.award(session, visit)
    assert (again.is_new, again.transaction_id) == (False, award.transaction_id)
    (item,) = (await service.summary(session, member_id)).pending
    assert item.activates_at == visit.occurred_at + timedelta(days=14)
    assert [fact.kind for fact in await events.timeline(session, member_id, kinds=["points_pending"])]
    await at(session, "2026-03-15T09:59+08:00")
    assert await pending.activate_due(session) == 0
    await at(session, "2026-03-15T10:00+08:00")
    assert await pending.activate_due(session) == 1
    assert await service.balance(session, member_id) == 100
    query = "SELECT rule_id, rule_version FROM ledger_transactions WHERE kind = 'pending'"
    assert tuple((await session.execute(text(query))).one()) == (rule.id, rule.version)
    await assert_sound(session)


async def test_the_next_order_makes_them_spendable(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T10:00+08:00")
    member_id = (await make_member(session)).id
    await _rule(session, active_on="order", active_after_days=90)
    await service.award(session, await _visit(session, member_id))
    (item,) = (await service.summary(session, member_id)).pending
    assert item.act == "order"
    await at(session, "2026-03-02T10:00+08:00")
    order = await _order(session, member_id)
    for _ in range(2):
        await acted.handle(session, order)
    assert await service.balance(session, member_id) == 100
    assert await pending.activate_due(session) == 0
    await assert_sound(session)


async def test_an_order_does_not_activate_what_it_earned_itself(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T10:00+08:00")
    member_id = (await make_member(session)).id
    parameters = {"points": 10, "per_amount": 10, "active_on": "order"}
    await earning_rules.create(session, kind="purchase", name="Tea", parameters=parameters)
    for day, balance in ((1, 0), (2, 50), (3, 100)):
        await at(session, f"2026-03-0{day}T10:00+08:00")
        order = await _order(session, member_id)
        await service.award(session, order)
        await acted.handle(session, order)
        assert await service.balance(session, member_id) == balance
    await assert_sound(session)


async def test_an_act_that_came_before_the_award_counts(session: AsyncSession, at: At) -> None:
    """Events of one member may be handled out of order."""
    await at(session, "2026-03-01T10:00+08:00")
    member_id = (await make_member(session)).id
    await _rule(session, active_on="order")
    visit = await _visit(session, member_id)
    await at(session, "2026-03-02T10:00+08:00")
    await acted.handle(session, await _order(session, member_id))
    await service.award(session, visit)
    assert await service.balance(session, member_id) == 100


async def test_after_a_merge_the_order_of_either_counts(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T10:00+08:00")
    keep, drop = (await make_member(session)).id, (await make_member(session)).id
    await _rule(session, active_on="order")
    await service.award(session, await _visit(session, drop))
    await at(session, "2026-03-02T10:00+08:00")
    order = await _order(session, drop)
    await merging.merge(session, keep, drop, by="operator:1")
    await acted.handle(session, order)
    assert await service.balance(session, keep) == 100
    await assert_sound(session)


async def test_a_returned_order_takes_waiting_points_first(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T10:00+08:00")
    member_id = (await make_member(session)).id
    await _rule(session, active_after_days=14)
    visit = await _visit(session, member_id)
    await service.award(session, visit)
    returned: dict[str, Any] = {"paid": Decimal(10), "returned": Decimal(10), "reason": "returned", "key": "r"}
    await taking_back.take_back(session, member_id, visit.id, visit.occurred_at, **returned)
    found = await service.summary(session, member_id)
    assert (found.pending, found.balance, found.debt) == ([], 0, 0)
    await assert_sound(session)


async def test_points_now_and_points_later_for_one_event(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T10:00+08:00")
    member_id = (await make_member(session)).id
    await _rule(session, {"caps": {"member_day": 150}}, active_after_days=14)
    await _rule(session)
    for points in ((100, 100), (100, 50), (100, 0)):
        awards = await service.award(session, await _visit(session, member_id))
        assert (spendable(awards), waiting(awards)) == points
    once = await _rule(session, {"is_once": True}, active_after_days=3)
    given = [await service.award(session, await _visit(session, member_id)) for _ in range(2)]
    assert [sum(award.rule_id == once.id for award in awards) for awards in given] == [1, 0]
    await assert_sound(session)


async def test_what_is_given_by_hand_waits_too(session: AsyncSession) -> None:
    member_id = (await make_member(session)).id
    parameters = {"points": 70, "active_after_days": 2}
    rule = await earning_rules.create(session, kind="manual", name="Sorry", parameters=parameters)
    made = [await service.grant(session, member_id, rule.id, key="g", by="operator:1") for _ in range(2)]
    assert [(one.is_new, one.points, one.balance) for one in made] == [(True, 70, 0), (False, 70, 0)]
    assert [item.points for item in (await service.summary(session, member_id)).pending] == [70]


async def test_orders_are_handed_over_once_points_wait_for_them(session: AsyncSession) -> None:
    query = "SELECT kind FROM event_wishes WHERE subscriber = 'points.acted'"
    rule = await _rule(session)
    assert (await session.scalars(text(query))).all() == []
    await earning_rules.change(session, rule.id, parameters={**BONUS, "active_on": "order"})
    assert (await session.scalars(text(query))).all() == [OrderPlaced.kind]
    await earning_rules.change(session, rule.id, parameters=BONUS)
    assert (await session.scalars(text(query))).all() == [OrderPlaced.kind], "what it gave may wait still"


@pytest.mark.parametrize(
    ("starting", "words"),
    [
        ({"active_after_days": 0}, "active_after_days"),
        ({"active_after_days": 367}, "active_after_days"),
        ({"active_after_days": "soon"}, "active_after_days"),
        ({"active_on": "birthday"}, "active_on"),
        ({"active_after_days": 28, "expires_after_months": 1}, "before they can be spent"),
    ],
)
async def test_a_wrong_start_says_why(session: AsyncSession, starting: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidRule, match=words):
        await _rule(session, **starting)


@pytest.mark.parametrize(
    ("starting", "english", "chinese"),
    [
        ({}, "100 points", "100 积分"),
        ({"active_after_days": 14}, "(to spend after 14 days)", "（14 天后可用）"),
        ({"active_on": "order"}, "(to spend after your next order)", "（下次下单后可用）"),
        (
            {"active_after_days": 14, "active_on": "order"},
            "(to spend after 14 days or your next order)",
            "（14 天后或下次下单后可用）",
        ),
    ],
)
async def test_members_are_told(session: AsyncSession, starting: dict[str, Any], english: str, chinese: str) -> None:
    rule = await earning_rules.create(session, kind="check_in", name="Day", parameters={"points": 100, **starting})
    assert telling.words(rule, "en").endswith(english)
    assert telling.words(rule, "zh-CN").endswith(chinese)
