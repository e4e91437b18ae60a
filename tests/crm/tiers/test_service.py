"""Programmes, evaluations, grants, history, benefits and merges."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.coupons.service import holding
from crm.coupons.types import CouponKind
from crm.db import clock
from crm.events import service as events
from crm.events.types import RecordedEvent
from crm.members import merging
from crm.members import service as members
from crm.members.types import MemberChanges
from crm.orders import refunds
from crm.orders import service as orders
from crm.profiles import service as profiles
from crm.tiers import evaluating, subscribers
from crm.tiers.errors import InvalidProgramme, NoGrant, NoProgramme, ProgrammeNotDraft, UnknownTier
from crm.tiers.service import benefits, programmes, runs, standings
from crm.tiers.types import Downgrade, Measure, ProgrammeStatus, Reason, Window
from tests.conftest import At
from tests.factories.loyalty import make_coupon
from tests.factories.members import make_member
from tests.factories.orders import new_order
from tests.factories.points import give
from tests.factories.tiers import evaluate_all, make_programme, rules, tier

DAY = timedelta(days=1)


async def _spend(session: AsyncSession, member_id: int, amount: str) -> None:
    await orders.record(session, new_order(member_id, amount, placed_at=await clock.now(session)))


async def _told(session: AsyncSession, member_id: int, kind: str) -> list[RecordedEvent]:
    return list(await events.timeline(session, member_id, kinds=[kind]))


async def test_an_order_lifts_a_member_and_says_why(session: AsyncSession, at: At) -> None:
    now = await at(session, "2026-03-01T08:00+00:00")
    member = await make_member(session)
    assert await standings.evaluate(session, member.id) is None
    live = await make_programme(session)
    await _spend(session, member.id, "600")
    event = (await _told(session, member.id, "order_placed"))[0]
    for _ in range(2):
        await subscribers.evaluate.handle(session, event)
    profile = await profiles.get(session, member.id)
    assert (profile.tier, profile.multiplier) == ("gold", Decimal("1.5"))
    (fact,) = await _told(session, member.id, "tier_changed")
    assert fact.data == {
        "from_tier": None,
        "to_tier": "gold",
        "direction": "up",
        "reason": "reached",
        "measure": "spend",
        "value": "600.00",
    }
    (interval,) = await standings.history(session, member.id)
    assert (interval.tier, interval.started_at, interval.ended_at, interval.version) == (
        "gold",
        now,
        None,
        live.version,
    )


async def test_a_refund_counts_no_more(session: AsyncSession) -> None:
    member = await make_member(session)
    await make_programme(session, rules(grace_days=0))
    order = await orders.record(session, new_order(member.id, "600", placed_at=await clock.now(session)))
    assert await _outcome(session, member.id) == "gold"
    await refunds.refund(session, order.source, order.external_id, amount=Decimal(350), key="r1")
    (event,) = await _told(session, member.id, "order_refunded")
    await subscribers.evaluate.handle(session, event)
    assert (await profiles.get(session, member.id)).tier == "silver"


async def test_points_count_with_what_was_taken_back_of_them(session: AsyncSession) -> None:
    member = await make_member(session)
    await make_programme(
        session, rules(tier("silver", "50"), measure=Measure.POINTS, window=Window.LIFETIME, grace_days=0)
    )
    await give(session, member.id, 60)
    assert (await _outcome(session, member.id)) == "silver"
    found = await standings.progress(session, member.id)
    assert found is not None
    assert (found.value, found.following) == (Decimal(60), None)


async def _outcome(session: AsyncSession, member_id: int) -> str | None:
    outcome = await standings.evaluate(session, member_id)
    assert outcome is not None
    return outcome.tier


async def test_publishing_evaluates_everybody_in_ranges(
    session: AsyncSession, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluating, "RANGE", 2)
    await at(session, "2026-03-01T08:00+00:00")
    people = [await make_member(session) for _ in range(5)]
    for person, amount in zip(people, ("50", "150", "600", "2000", "100"), strict=True):
        await _spend(session, person.id, amount)
    live = await make_programme(session)
    assert live.status is ProgrammeStatus.LIVE
    steps = 0
    while await runs.step(session):
        steps += 1
    assert steps >= 3
    (run,) = await runs.recent(session)
    assert (run.up, run.down, run.finished_at is not None) == (4, 0, True)
    found = [(await profiles.get(session, person.id)).tier for person in people]
    assert found == [None, "silver", "gold", "black", "silver"]
    assert await standings.counts(session) == {"": 1, "silver": 2, "gold": 1, "black": 1}
    assert await standings.with_priority(session, [person.id for person in people]) == {people[3].id}
    page = await standings.listing(session, tier="silver", limit=1)
    rest = await standings.listing(session, tier="silver", limit=1, cursor=page.next_cursor)
    assert [row.member_id for row in [*page.items, *rest.items]] == [people[1].id, people[4].id]
    assert not await runs.start_daily(session), "today's evaluation was the publication's"
    await at(session, "2026-03-02T08:00+00:00")
    assert await runs.start_daily(session)
    assert not await runs.start_daily(session)
    await evaluate_all(session)
    assert [(item.up, item.down) for item in await runs.recent(session)] == [(0, 0), (4, 0)]


async def test_a_preview_tells_who_would_move_and_changes_nothing(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T08:00+00:00")
    people = [await make_member(session) for _ in range(3)]
    for person, amount in zip(people, ("150", "600", "0"), strict=True):
        await _spend(session, person.id, amount)
    await make_programme(session)
    await evaluate_all(session)
    harder = rules(tier("silver", "200", "160"), tier("gold", "550", "500"))
    found = await programmes.preview(session, harder)
    assert (found.now, found.then) == ({"": 1, "silver": 1, "gold": 1}, {"": 1, "silver": 1, "gold": 1})
    assert (found.up, found.down, found.in_grace) == (0, 0, 1)
    at_once = await programmes.preview(session, replace(harder, grace_days=0))
    assert (at_once.then, at_once.down) == ({"": 2, "gold": 1}, 1)
    assert [(move.from_tier, move.to_tier, move.members) for move in at_once.moves] == [("silver", None, 1)]
    assert (await programmes.draft(session)) is None
    assert (await profiles.get(session, people[0].id)).tier == "silver"


async def test_versions(session: AsyncSession) -> None:
    with pytest.raises(NoProgramme):
        await programmes.require_live(session)
    first = await make_programme(session)
    draft = await programmes.save_draft(session, rules(grace_days=5), by="operator:1")
    again = await programmes.save_draft(session, rules(grace_days=6), by="operator:2")
    assert (again.version, again.rules.grace_days, again.created_by) == (draft.version, 6, "operator:2")
    with pytest.raises(InvalidProgramme):
        await programmes.save_draft(session, rules(tier("a", "2"), tier("b", "1")), by="x")
    await programmes.publish(session, again.version)
    with pytest.raises(ProgrammeNotDraft):
        await programmes.publish(session, first.version)
    states = [(item.version, item.status) for item in await programmes.listing(session)]
    assert states == [(again.version, "live"), (first.version, "retired")]


async def test_a_new_multiplier_reaches_those_who_stay(session: AsyncSession) -> None:
    member = await make_member(session)
    await _spend(session, member.id, "150")
    await make_programme(session)
    await evaluate_all(session)
    await make_programme(session, rules(tier("silver", "100", multiplier=Decimal("1.25"))))
    await evaluate_all(session)
    assert (await profiles.get(session, member.id)).multiplier == Decimal("1.25")
    assert len(await standings.history(session, member.id)) == 1


async def test_grace_warning_and_fall(session: AsyncSession, at: At) -> None:
    await at(session, "2025-03-01T08:00+00:00")
    member = await make_member(session)
    await _spend(session, member.id, "600")
    await make_programme(session, rules(grace_days=20, at_risk_days=10))
    await evaluate_all(session)
    for moment, tier_then, warnings in (
        ("2026-02-25T08:00+00:00", "gold", 0),
        ("2026-03-03T08:00+00:00", "gold", 0),
        ("2026-03-15T08:00+00:00", "gold", 1),
        ("2026-03-16T08:00+00:00", "gold", 1),
        ("2026-03-24T08:00+00:00", None, 1),
    ):
        await at(session, moment)
        await runs.start_daily(session)
        await evaluate_all(session)
        assert (await profiles.get(session, member.id)).tier == tier_then, moment
        assert len(await _told(session, member.id, "tier_at_risk")) == warnings, moment
    (warning,) = await _told(session, member.id, "tier_at_risk")
    assert (warning.data["tier"], warning.data["next_tier"], warning.data["missing"]) == ("gold", None, "400.00")
    fell, rose = await standings.history(session, member.id)
    assert (fell.reason, rose.ended_at) == (Reason.FELL_SHORT, fell.started_at)
    start, end = rose.started_at, fell.started_at
    moves = await standings.moves_between(session, start, end)
    assert [(move.from_tier, move.to_tier, move.members) for move in moves] == [("gold", None, 1)]


async def test_a_tier_by_hand(session: AsyncSession, at: At) -> None:
    now = await at(session, "2026-03-01T08:00+00:00")
    member = await make_member(session)
    given: dict[str, Any] = {"until": now + 10 * DAY, "reason": "A good guest", "by": "operator:7"}
    with pytest.raises(NoProgramme):
        await standings.grant(session, member.id, "gold", **given)
    await make_programme(session)
    with pytest.raises(UnknownTier, match="silver, gold, black"):
        await standings.grant(session, member.id, "platinum", **given)
    with pytest.raises(NoGrant):
        await standings.end_grant(session, member.id, by="operator:7")
    found = await standings.grant(session, member.id, "gold", **given)
    assert (found.tier, found.earned) == ("gold", None)
    assert found.grant is not None
    assert found.grant.reason == "A good guest"
    (interval,) = await standings.history(session, member.id)
    assert (interval.reason, interval.by) == (Reason.GRANTED, "operator:7")
    await at(session, "2026-03-05T08:00+00:00")
    ended = await standings.end_grant(session, member.id, by="operator:8")
    assert (ended.tier, ended.grant) == (None, None)
    await at(session, "2026-03-06T08:00+00:00")
    await standings.grant(session, member.id, "black", **given)
    await at(session, "2026-03-12T08:00+00:00")
    await runs.start_daily(session)
    await evaluate_all(session)
    assert (await standings.standing(session, member.id)).tier is None
    reasons = [item.reason for item in await standings.history(session, member.id)]
    assert reasons == [Reason.GRANT_ENDED, Reason.GRANTED, Reason.GRANT_ENDED, Reason.GRANTED]
    profile = await profiles.get(session, member.id)
    assert (profile.tier, profile.multiplier) == (None, Decimal(1))


async def test_coupons_of_the_month_and_of_birthdays(session: AsyncSession, at: At) -> None:
    await at(session, "2026-02-27T08:00+00:00")
    shipping = await make_coupon(session, kind=CouponKind.SHIPPING, value=None)
    gift, none_left = await make_coupon(session), await make_coupon(session, limit_total=1)
    gold, first, second, nobody = [await make_member(session) for _ in range(4)]
    for person, amount in ((gold, "600"), (first, "100"), (second, "100"), (nobody, "1")):
        await _spend(session, person.id, amount)
        await members.change(session, person.id, MemberChanges(birthday=date(2000, 2, 29)), by="member")
    await make_programme(
        session,
        rules(
            tier("silver", "100", monthly_coupon_id=none_left.id),
            tier("gold", "500", monthly_coupon_id=shipping.id, birthday_coupon_id=gift.id),
        ),
    )
    await evaluate_all(session)
    assert await benefits.give_due(session) == 3
    assert await benefits.give_due(session) == 0
    await at(session, "2026-02-28T08:00+00:00")
    assert await benefits.give_due(session) == 1, "29 February is kept on the 28th"
    await at(session, "2026-02-28T16:30+00:00")
    assert await benefits.give_due(session) == 3, "in Shanghai it is March"
    assert await benefits.give_due(session) == 0
    held = [voucher.coupon_id for voucher in await holding.usable(session, gold.id)]
    assert sorted(held) == [shipping.id, shipping.id, gift.id]
    assert len(await holding.usable(session, first.id)) + len(await holding.usable(session, second.id)) == 1
    assert await holding.usable(session, nobody.id) == []
    told = {(item.kind, item.period): (item.given, item.problems) for item in await benefits.recent(session)}
    assert told["birthday", "2026"] == (1, {})
    assert told["monthly", "2026-03"] == (1, {"coupon_gone": 2})


async def test_a_merge_keeps_the_better_tier_and_counts_together(session: AsyncSession) -> None:
    keep, drop = await make_member(session), await make_member(session)
    await make_programme(session)
    for member, amount in ((keep, "300"), (drop, "700")):
        await _spend(session, member.id, amount)
        await standings.evaluate(session, member.id)
    merge_id = await merging.merge(session, keep.id, drop.id, by="operator:1")
    (merged,) = await _told(session, keep.id, "members_merged")
    await subscribers.recompute.handle(session, merged)
    assert (await profiles.get(session, keep.id)).tier == "black"
    assert (await standings.standing(session, drop.id)).tier is None
    await merging.undo(session, merge_id, by="operator:1")
    (undone,) = await _told(session, keep.id, "merge_undone")
    await subscribers.recompute.handle(session, undone)
    assert (await profiles.get(session, drop.id)).tier == "gold"
    assert (await standings.standing(session, drop.id)).tier == "gold"
    found = await standings.standing(session, keep.id)
    assert (found.earned, found.falls_at) == ("silver", None)


async def test_points_of_a_merged_member_count(session: AsyncSession) -> None:
    keep, drop = await make_member(session), await make_member(session)
    await make_programme(session, rules(tier("silver", "50"), measure=Measure.POINTS, downgrade=Downgrade.NEVER))
    await give(session, keep.id, 30)
    await give(session, drop.id, 30)
    await merging.merge(session, keep.id, drop.id, by="operator:1")
    assert await _outcome(session, keep.id) == "silver"
