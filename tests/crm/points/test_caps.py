"""Caps of earning rules: partial or refused, by period, for a member, a rule and all rules, exact under concurrency."""

import asyncio
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.alerts import service as alerts
from crm.alerts.types import AlertKind
from crm.db.session import Sessions
from crm.events import service as events
from crm.events.catalogue import CustomEvent, MemberSignedUp
from crm.members import merging
from crm.members import service as members
from crm.members.types import MemberChanges
from crm.points import capping, counters, earning_rules, service
from crm.points.capping import Budget, Capped, Counter
from crm.points.deciding import Verdict
from crm.points.errors import InvalidRule
from crm.points.models import EarningCounterRow, TransactionRow
from crm.points.terms import Over, Terms
from crm.points.types import EarningRule
from tests.conftest import At
from tests.crm.points.test_formulas import AT
from tests.factories.members import make_member
from tests.factories.points import assert_sound

VISIT = {"points": 10, "event_name": "visit"}


async def _rule(session: AsyncSession, terms: dict[str, Any] | None = None, **values: Any) -> EarningRule:
    made = {"kind": "custom_event", "name": "Visit", "parameters": VISIT, **values}
    return await earning_rules.create(session, terms=terms or {}, **made)


async def _visit(session: AsyncSession, member_id: int) -> list[int]:
    recorded = await events.publish(session, CustomEvent(member_id=member_id, name="visit"))
    return [award.points for award in await service.award(session, recorded) if award.is_new]


async def _caps(session: AsyncSession, at: At, caps: dict[str, Any], days: list[str]) -> list[int]:
    await at(session, "2026-01-01T00:00Z")
    member = await make_member(session)
    await _rule(session, {"caps": caps})
    found = []
    for day in days:
        await at(session, f"{day}T04:00Z")
        found.append(sum(await _visit(session, member.id)))
    return found


@pytest.mark.parametrize(
    ("caps", "days", "expected"),
    [
        ({"member_day": 15}, ["2026-03-01", "2026-03-01", "2026-03-01", "2026-03-02"], [10, 5, 0, 10]),
        ({"member_day": 15, "over": "refuse"}, ["2026-03-01", "2026-03-01", "2026-03-02"], [10, 0, 10]),
        ({"member_week": 15}, ["2026-03-01", "2026-03-02", "2026-03-08", "2026-03-09"], [10, 10, 5, 10]),
        ({"member_month": 15}, ["2026-03-30", "2026-03-31", "2026-04-01"], [10, 5, 10]),
        ({"member_ever": 25}, ["2026-03-30", "2026-04-30", "2026-05-31", "2026-06-30"], [10, 10, 5, 0]),
        ({"rule_month": 12}, ["2026-03-30", "2026-03-31", "2026-04-01"], [10, 2, 10]),
        ({"rule_ever": 12, "member_day": 5}, ["2026-03-30", "2026-04-01", "2026-05-01"], [5, 5, 2]),
    ],
)
async def test_caps_by_period(
    session: AsyncSession, at: At, caps: dict[str, Any], days: list[str], expected: list[int]
) -> None:
    assert await _caps(session, at, caps, days) == expected


async def test_days_are_the_brands(session: AsyncSession, at: At) -> None:
    """Midnight in Shanghai is four in the afternoon in Greenwich."""
    await at(session, "2026-01-01T00:00Z")
    member = await make_member(session)
    await _rule(session, {"caps": {"member_day": 10}})
    for moment, expected in (("15:59", [10]), ("16:00", [10]), ("23:00", [])):
        await at(session, f"2026-03-01T{moment}Z")
        assert await _visit(session, member.id) == expected


async def test_all_rules_together_keep_to_the_budget_of_the_month(session: AsyncSession) -> None:
    first, second = await make_member(session), await make_member(session)
    await _rule(session)
    await _rule(session, {"priority": 5}, name="Visit, first")
    await earning_rules.set_budget(session, 25, Over.PARTIAL)
    assert await earning_rules.budget(session) == Budget(25, Over.PARTIAL)
    assert await _visit(session, first.id) == [10, 10]
    assert await _visit(session, second.id) == [5]
    await earning_rules.set_budget(session, 29, Over.REFUSE)
    assert await _visit(session, second.id) == []
    await earning_rules.set_budget(session, None, Over.PARTIAL)
    assert await _visit(session, second.id) == [10, 10]
    for wrong in (0, -1, 10**13):
        with pytest.raises(InvalidRule, match="month_budget"):
            await earning_rules.set_budget(session, wrong, Over.PARTIAL)
    await assert_sound(session)


async def test_a_capped_award_is_answered_again_as_it_was_given(session: AsyncSession) -> None:
    member = await make_member(session)
    await _rule(session, {"caps": {"member_day": 4}})
    recorded = await events.publish(session, CustomEvent(member_id=member.id, name="visit"))
    first, again = await service.award(session, recorded), await service.award(session, recorded)
    assert [(item.points, item.is_new) for item in (*first, *again)] == [(4, True), (4, False)]
    assert list(await session.scalars(select(EarningCounterRow.points))) == [4]


async def test_without_caps_nothing_is_counted(session: AsyncSession) -> None:
    member = await make_member(session)
    await _rule(session, {"formula": "points * 2"})
    assert await _visit(session, member.id) == [20]
    assert list(await session.scalars(select(EarningCounterRow.points))) == []


async def test_once_means_once_whatever_happens_again(session: AsyncSession) -> None:
    member = await make_member(session)
    await _rule(session, {"is_once": True})
    assert [await _visit(session, member.id) for _ in range(3)] == [[10], [], []]
    recorded = await events.publish(session, CustomEvent(member_id=member.id, name="visit"))
    assert await service.award(session, recorded) == []


async def test_a_group_gives_once_even_when_the_member_changes_between_tries(session: AsyncSession) -> None:
    member = await make_member(session)
    await _rule(session, {"group": "visit"})
    await _rule(session, {"group": "visit", "audience": {"stages": ["loyal"]}, "formula": "points * 3"})
    recorded = await events.publish(session, CustomEvent(member_id=member.id, name="visit"))
    first = await service.award(session, recorded)
    await session.execute(text("UPDATE profiles SET stage = 'loyal' WHERE member_id = :id"), {"id": member.id})
    again = await service.award(session, recorded)
    assert [(item.points, item.is_new) for item in (*first, *again)] == [(10, True), (10, False)]
    assert await _visit(session, member.id) == [30]


async def test_every_award_names_its_rule_and_the_version_of_its_time(session: AsyncSession, at: At) -> None:
    await at(session, "2026-01-01T00:00Z")
    member = await make_member(session)
    rule = await _rule(session)
    await at(session, "2026-02-01T00:00Z")
    await earning_rules.change(session, rule.id, terms={"formula": "points + 1"})
    late = await events.publish(session, CustomEvent(member_id=member.id, name="visit"), occurred_at=rule.changed_at)
    await service.award(session, late)
    recorded = await events.publish(session, CustomEvent(member_id=member.id, name="visit"))
    given = (await service.award(session, recorded))[0]
    assert (given.points, given.rule_id, given.rule_version) == (11, rule.id, 2)
    query = select(TransactionRow.rule_id, TransactionRow.rule_version).order_by(TransactionRow.occurred_at)
    assert [tuple(row) for row in await session.execute(query)] == [(rule.id, 1), (rule.id, 2)]
    assert [item.version for item in await earning_rules.versions(session, rule.id)] == [2, 1]


async def test_a_formula_that_fails_later_raises_an_alert_and_spares_the_rest(session: AsyncSession) -> None:
    member = await make_member(session)
    rule = await _rule(session, {"formula": "has(event.properties.x) ? event.properties.x * 2 : 1"})
    await _rule(session)
    bad = CustomEvent(member_id=member.id, name="visit", properties={"x": "many"})
    awards = await service.award(session, await events.publish(session, bad))
    assert [award.points for award in awards] == [10]
    assert await alerts.open_subjects(session, AlertKind.EARNING_FORMULA_FAILED) == {str(rule.id)}
    await earning_rules.change(session, rule.id, terms={})
    assert await alerts.open_subjects(session, AlertKind.EARNING_FORMULA_FAILED) == frozenset()


async def test_the_birthday_is_the_members_own(session: AsyncSession, at: At) -> None:
    await at(session, "2026-01-01T00:00Z")
    member, other = await make_member(session), await make_member(session)
    await members.change(session, member.id, MemberChanges(birthday=date(1990, 3, 2)), by="test")
    await _rule(session, {"birthday_multiplier": "1.5"})
    await at(session, "2026-03-01T16:30Z")
    assert await _visit(session, member.id) == [15]
    assert await _visit(session, other.id) == [10]


async def test_profile_completion_is_given_once(session: AsyncSession) -> None:
    member = await make_member(session)
    await _rule(
        session,
        {"is_once": True},
        kind="profile_completed",
        parameters={"points": 10, "fields": ["phone", "birthday"]},
    )
    await members.change(session, member.id, MemberChanges(birthday=date(1990, 3, 2)), by="member")
    await members.set_phone(session, member.id, "+8613812345678", is_verified=False, by="member")
    updated = await events.timeline(session, member.id, kinds=["member_updated"])
    given = [await service.award(session, item) for item in reversed(updated)]
    assert [[award.points for award in awards] for awards in given] == [[], [10]]
    wished = await session.scalars(text("SELECT kind FROM event_wishes WHERE subscriber = 'points.award_seldom'"))
    assert "member_updated" in list(wished)


async def test_a_merge_opens_no_cap_and_its_undo_closes_none(session: AsyncSession) -> None:
    keep, drop = await make_member(session), await make_member(session)
    await _rule(session, {"caps": {"member_day": 25}})
    assert [await _visit(session, one) for one in (keep.id, drop.id)] == [[10], [10]]
    merge_id = await merging.merge(session, keep.id, drop.id, by="test")
    assert await _visit(session, keep.id) == [5]
    await merging.undo(session, merge_id, by="test")
    assert await _visit(session, keep.id) == [10]
    assert [await _visit(session, drop.id) for _ in range(2)] == [[10], [5]]


async def test_old_counters_are_forgotten(session: AsyncSession, at: At) -> None:
    await _caps(session, at, {"member_day": 10, "member_ever": 100}, ["2026-03-01"])
    assert await counters.forget_old(session) == 0
    await at(session, "2026-07-01T00:00Z")
    assert await counters.forget_old(session) == 1
    assert list(await session.scalars(select(EarningCounterRow.period))) == ["ever"]


async def test_a_budget_is_kept_exactly_by_forty_at_once(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        found = [(await make_member(session)).id for _ in range(8)]
        await _rule(session, {"caps": {"rule_month": 123, "member_ever": 35}})
        await _rule(session, {"caps": {"rule_ever": 55, "over": "refuse"}}, name="Second")
    room = asyncio.Semaphore(20)

    async def visit(member_id: int) -> int:
        async with room, committed_sessions.begin() as session:
            return sum(await _visit(session, member_id))

    given = await asyncio.gather(*(visit(found[number % 8]) for number in range(40)))
    assert sum(given) == 123 + 50
    async with committed_sessions() as session:
        assert sum([await service.balance(session, one) for one in found]) == 123 + 50
        await assert_sound(session)


@given(
    st.lists(st.integers(1, 20), max_size=30),
    st.integers(1, 100),
    st.one_of(st.none(), st.integers(1, 60)),
    st.sampled_from(Over),
)
def test_no_order_of_awards_goes_over_a_cap(wanted: list[int], cap: int, month: int | None, over: Over) -> None:
    terms = Terms.model_validate({"caps": {"member_ever": cap, "over": over}})
    budget = None if month is None else Budget(month, over)
    rule = EarningRule(1, "custom_event", "Rule", VISIT, True, None, None, 1, AT)
    used: dict[Counter, int] = {}
    total = 0
    for points in wanted:
        item = capping.under(Verdict(rule, points, points, terms=terms), 7, AT.date(), budget)
        assert isinstance(item, Capped)
        left, added = capping.within([item], used, budget)
        total += sum(verdict.points for verdict in left)
        used = {key: used.get(key, 0) + added.get(key, 0) for key in {*used, *added}}
    most = min(cap, month) if month is not None else cap
    assert total == min(sum(wanted), most) if over is Over.PARTIAL else total <= most


async def test_sign_ups_go_on_as_before(session: AsyncSession) -> None:
    await service.ensure_defaults(session)
    member = await make_member(session)
    recorded = await events.publish(session, MemberSignedUp(member_id=member.id, channel="telegram"))
    assert [(award.points, award.rule_version) for award in await service.award(session, recorded)] == [(100, 1)]
