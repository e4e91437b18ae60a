"""Earning rules as rows: defaults, versions, validity, awards once per event and rule."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.session import Sessions
from crm.events import relay
from crm.events import service as events
from crm.events.catalogue import MemberSignedUp, OrderPlaced
from crm.points import earning_rules, jobs, service
from crm.points.defaults import SHIPPED
from crm.points.errors import InvalidRule, RuleNotFound, RuleNotGrantable, UnknownRuleKind
from tests.conftest import At
from tests.factories.members import make_member
from tests.factories.points import assert_sound, give


async def _order(session: AsyncSession, member_id: int, amount: str, placed_at: datetime) -> list[int]:
    fact = OrderPlaced(member_id=member_id, order_id=1, amount=Decimal(amount), currency="CNY", placed_at=placed_at)
    recorded = await events.publish(session, fact, occurred_at=placed_at)
    return [award.points for award in await service.award(session, recorded)]


async def test_defaults_are_inserted_once_and_not_again_after_a_change(session: AsyncSession) -> None:
    assert await service.ensure_defaults(session) == len(SHIPPED)
    first = (await earning_rules.listing(session))[0]
    await earning_rules.change(session, first.id, is_active=False)
    assert await service.ensure_defaults(session) == 0
    assert not (await earning_rules.get(session, first.id)).is_active
    ways = await service.how_to_earn(session, "zh-CN")
    assert [way.rule for way in ways] == ["check_in", "streak", "streak", "survey", "order_rate"]
    assert ways[-1].text == "每消费 ¥100，得 10 积分"


async def test_an_award_is_given_once_per_event_and_rule(session: AsyncSession) -> None:
    await service.ensure_defaults(session)
    member = await make_member(session)
    recorded = await events.publish(session, MemberSignedUp(member_id=member.id, channel="telegram"))
    first = await service.award(session, recorded)
    again = await service.award(session, recorded)
    assert [award.is_new for award in (*first, *again)] == [True, False]
    assert first[0].transaction_id == again[0].transaction_id
    assert await service.balance(session, member.id) == 100
    await assert_sound(session)


async def test_an_event_meets_the_rule_of_its_time(session: AsyncSession, at: At) -> None:
    start = await at(session, "2026-01-01T00:00Z")
    member = await make_member(session)
    rule = await earning_rules.create(
        session, kind="order_rate", name="Orders", parameters={"points": 10, "per_amount": 100}
    )
    await at(session, "2026-02-01T00:00Z")
    doubled = await earning_rules.change(session, rule.id, parameters={"points": 20, "per_amount": 100})
    assert (doubled.id, doubled.version) == (rule.id, 2)
    await at(session, "2026-03-01T00:00Z")
    await earning_rules.change(session, rule.id, is_active=False)
    for days, expected in ((-1, []), (10, [10]), (31, [20]), (45, [20]), (60, [])):
        assert await _order(session, member.id, "100", start + timedelta(days=days)) == expected


async def test_a_rule_counts_within_its_validity(session: AsyncSession, at: At) -> None:
    await at(session, "2026-01-01T00:00Z")
    member = await make_member(session)
    await earning_rules.create(
        session,
        kind="order_rate",
        name="May",
        parameters={"points": 1, "per_amount": 1},
        valid_from=datetime(2026, 5, 1, tzinfo=UTC),
        valid_until=datetime(2026, 6, 1, tzinfo=UTC),
    )
    for day, expected in (((4, 30), []), ((5, 1), [7]), ((6, 1), [])):
        assert await _order(session, member.id, "7", datetime(2026, *day, tzinfo=UTC)) == expected


async def test_rules_that_make_no_sense_are_refused_with_the_path(session: AsyncSession) -> None:
    with pytest.raises(UnknownRuleKind):
        await earning_rules.create(session, kind="lottery", name="x", parameters={})
    with pytest.raises(InvalidRule, match=r"parameters\.points: "):
        await earning_rules.create(session, kind="sign_up", name="x", parameters={"points": 0})
    with pytest.raises(InvalidRule, match=r"parameters\.points: "):
        await earning_rules.create(session, kind="sign_up", name="x", parameters={"points": 10**10})
    with pytest.raises(InvalidRule, match=r"parameters\.pionts: "):
        await earning_rules.create(session, kind="sign_up", name="x", parameters={"points": 1, "pionts": 2})
    with pytest.raises(InvalidRule, match="a name"):
        await earning_rules.create(session, kind="sign_up", name=" ", parameters={"points": 1})
    made = await earning_rules.create(session, kind="sign_up", name="x", parameters={"points": 1})
    with pytest.raises(InvalidRule, match="later than the start"):
        await earning_rules.change(
            session, made.id, valid_from=datetime(2026, 2, 1, tzinfo=UTC), valid_until=datetime(2026, 1, 1, tzinfo=UTC)
        )
    with pytest.raises(InvalidRule, match="time zone"):
        await earning_rules.change(session, made.id, valid_from=datetime(2026, 2, 1))  # noqa: DTZ001 - that is the point
    with pytest.raises(InvalidRule, match="no field 'kind'"):
        await earning_rules.change(session, made.id, kind="check_in")
    with pytest.raises(RuleNotFound):
        await earning_rules.change(session, 10**9, name="y")
    assert (await earning_rules.get(session, made.id)).version == 1


async def test_a_manual_rule_is_granted_by_hand(session: AsyncSession) -> None:
    member = await make_member(session)
    gift = await earning_rules.create(session, kind="manual", name="Birthday", parameters={"points": 66})
    posting = await service.grant(session, member.id, gift.id, key="birthday:2026", by="operator:1")
    assert (posting.points, posting.balance) == (66, 66)
    assert not (await service.grant(session, member.id, gift.id, key="birthday:2026", by="operator:1")).is_new
    await earning_rules.change(session, gift.id, is_active=False)
    with pytest.raises(RuleNotGrantable):
        await service.grant(session, member.id, gift.id, key="birthday:2027", by="operator:1")
    other = await earning_rules.create(session, kind="sign_up", name="Bonus", parameters={"points": 1})
    with pytest.raises(RuleNotGrantable):
        await service.grant(session, member.id, other.id, key="x", by="operator:1")


async def test_the_relay_awards_orders(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        await service.ensure_defaults(session)
        member = await make_member(session)
        now = await give(session, member.id, 1)
        assert now.is_new
        fact = OrderPlaced(
            member_id=member.id,
            order_id=1,
            amount=Decimal("350.50"),
            currency="CNY",
            placed_at=datetime(2026, 1, 1, tzinfo=UTC),
        )
        await events.publish(session, fact)
    await relay.relay_all(sessions)
    async with sessions() as session:
        assert await service.balance(session, member.id) == 36


async def test_ticks_expire_and_seal(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        member = await make_member(session)
        await give(session, member.id, 5)
        await give(session, member.id, 4, expires_at=datetime(2020, 1, 1, tzinfo=UTC))
    assert await jobs.expire.run(sessions) == 1
    assert await jobs.expire.run(sessions) == 0
    assert await jobs.checkpoint.run(sessions) == 1
    assert await jobs.checkpoint.run(sessions) == 0
    async with sessions() as session:
        assert await service.balance(session, member.id) == 5
        assert (await assert_sound(session)).checkpoints == 1
