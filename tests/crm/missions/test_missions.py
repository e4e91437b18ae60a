"""Missions: progress by events, once each, windows by the member's days, rewards once per window."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.coupons.service import definitions as coupons
from crm.coupons.service import holding
from crm.db import clock
from crm.events import service as events
from crm.events.catalogue import CheckedIn, CustomEvent
from crm.events.types import RecordedEvent
from crm.members import merging
from crm.missions import policy, subscribers
from crm.missions.errors import BadgeHeld, BadgeNotFound, InvalidBadge, InvalidMission
from crm.missions.service import badges, definitions, progress
from crm.missions.types import Comparison, Filter, NewMission, Rewards, Step, Window
from crm.points import service as points
from tests.conftest import At
from tests.factories.draws import make_badge, make_mission
from tests.factories.loyalty import make_coupon
from tests.factories.members import make_member

NAME = {"en": "Mission"}


async def _check_in(session: AsyncSession, member_id: int) -> RecordedEvent:
    now = await clock.now(session)
    fact = CheckedIn(member_id=member_id, local_date=now.date(), streak=1, channel=None)
    recorded = await events.publish(session, fact)
    await subscribers.count.handle(session, recorded)
    return recorded


async def _booked(session: AsyncSession, member_id: int, **properties: object) -> None:
    fact = CustomEvent(member_id=member_id, name="booked", properties=dict(properties))
    await subscribers.count.handle(session, await events.publish(session, fact))


async def test_a_mission_of_several_steps(session: AsyncSession) -> None:
    member, coupon, badge = await make_member(session), await make_coupon(session), await make_badge(session)
    rewards = Rewards(points=100, coupon_id=coupon.id, badge_id=badge.id)
    steps = (Step("checked_in", 2), Step("custom", 1, (Filter("name", Comparison.EQUALS, "booked"),)))
    mission = await make_mission(session, *steps, rewards=rewards)
    first = await _check_in(session, member.id)
    await subscribers.count.handle(session, first)
    (now,) = await progress.of_member(session, member.id)
    assert (now.counts, now.percent, now.completed_at) == ((1, 0), 33, None)
    await _booked(session, member.id)
    assert await points.balance(session, member.id) == 0
    await _check_in(session, member.id)
    (now,) = await progress.of_member(session, member.id)
    assert (now.counts, now.percent, now.completed_at is not None) == ((2, 1), 100, True)
    await _check_in(session, member.id)
    assert await points.balance(session, member.id) == 100
    assert len(await holding.usable(session, member.id)) == 1
    assert [held.badge.id for held in await badges.of_member(session, member.id)] == [badge.id]
    told = [event for event in await events.timeline(session, member.id) if event.kind == "mission_completed"]
    assert [event.data["mission_id"] for event in told] == [mission.id]
    assert (await definitions.get(session, mission.id)).completed == 1


async def test_windows_begin_anew(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T08:00:00Z")
    member = await make_member(session)
    await make_mission(session, Step("checked_in"), window=Window.DAILY, rewards=Rewards(points=5))
    for day in ("01", "01", "02", "03"):
        await at(session, f"2026-03-{day}T09:00:00Z")
        await _check_in(session, member.id)
    assert await points.balance(session, member.id) == 15


@pytest.mark.parametrize(
    ("window", "key"),
    [(Window.ONCE, "once"), (Window.DAILY, "2026-01-01"), (Window.WEEKLY, "2026-W01"), (Window.MONTHLY, "2026-01")],
)
def test_windows_are_of_the_members_days(window: Window, key: str) -> None:
    moment = datetime(2025, 12, 31, 20, tzinfo=UTC)
    assert policy.window_key(window, moment, ZoneInfo("Asia/Shanghai")) == key


@pytest.mark.parametrize(
    ("test", "value", "said", "holds"),
    [
        (Comparison.EQUALS, "3", 3, True),
        (Comparison.EQUALS, "3.0", 3, True),
        (Comparison.EQUALS, "true", True, True),
        (Comparison.EQUALS, "x", "y", False),
        (Comparison.AT_LEAST, "100", "99.99", False),
        (Comparison.AT_LEAST, "100", "100.00", True),
        (Comparison.AT_MOST, "3", 4, False),
        (Comparison.AT_MOST, "3", "many", False),
        (Comparison.AT_LEAST, "1", True, False),
        (Comparison.EQUALS, "1", None, False),
        (Comparison.EQUALS, "1", [1], False),
    ],
)
async def test_filters(session: AsyncSession, test: Comparison, value: str, said: object, holds: bool) -> None:
    member = await make_member(session)
    step = Step("custom", 1, (Filter("properties.seats", test, value),))
    await make_mission(session, step)
    await _booked(session, member.id, seats=said)
    assert (await points.balance(session, member.id) == 100) is holds


async def test_a_coupon_that_ended_keeps_nothing_else_back(session: AsyncSession) -> None:
    member, coupon = await make_member(session), await make_coupon(session)
    await make_mission(session, Step("checked_in"), rewards=Rewards(points=5, coupon_id=coupon.id))
    await coupons.change(session, coupon.id, is_active=False)
    await _check_in(session, member.id)
    assert await points.balance(session, member.id) == 5
    assert await holding.usable(session, member.id) == []


async def test_others_and_what_was_before_do_not_count(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T08:00:00Z")
    member = await make_member(session)
    early = await _check_in(session, member.id)
    await at(session, "2026-03-01T09:00:00Z")
    await make_mission(session, Step("checked_in"))
    await make_mission(session, Step("checked_in"), tiers=["gold"])
    await subscribers.count.handle(session, early)
    assert await points.balance(session, member.id) == 0
    assert len(await progress.of_member(session, member.id)) == 1


async def test_a_merge_adds_up_and_can_be_undone(session: AsyncSession) -> None:
    keep, drop, badge = await make_member(session), await make_member(session), await make_badge(session)
    await make_mission(session, Step("checked_in", 5))
    for member_id in (keep.id, drop.id, drop.id):
        await _check_in(session, member_id)
    for member_id in (keep.id, drop.id):
        await badges.give(session, member_id, badge.id, given_for="test")
    merged = await merging.merge(session, keep.id, drop.id, by="x")
    assert (await progress.of_member(session, keep.id))[0].counts == (3,)
    assert len(await badges.of_member(session, keep.id)) == 1
    await merging.undo(session, merged, by="x")
    assert (await progress.of_member(session, keep.id))[0].counts == (1,)
    assert (await progress.of_member(session, drop.id))[0].counts == (2,)
    assert len(await badges.of_member(session, drop.id)) == 1


async def test_progress_of_a_member_alone_moves(session: AsyncSession) -> None:
    keep, drop, badge = await make_member(session), await make_member(session), await make_badge(session)
    await make_mission(session, Step("checked_in", 5))
    await _check_in(session, drop.id)
    await badges.give(session, drop.id, badge.id, given_for="test")
    merged = await merging.merge(session, keep.id, drop.id, by="x")
    assert (await progress.of_member(session, keep.id))[0].counts == (1,)
    await merging.undo(session, merged, by="x")
    assert (await progress.of_member(session, drop.id))[0].counts == (1,)
    assert [held.badge.id for held in await badges.of_member(session, drop.id)] == [badge.id]


async def test_badges_by_hand(session: AsyncSession) -> None:
    member, badge = await make_member(session), await make_badge(session)
    assert (await badges.give_by_hand(session, member.id, badge.id, by="operator:1")).held == 1
    with pytest.raises(BadgeHeld):
        await badges.give_by_hand(session, member.id, badge.id, by="operator:1")
    with pytest.raises(BadgeNotFound):
        await badges.give_by_hand(session, member.id, 10**9, by="operator:1")
    with pytest.raises(InvalidBadge):
        await badges.create(session, NAME, emoji="")


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (NewMission(NAME, ()), "1 to 10 steps"),
        (NewMission(NAME, (Step("mission_completed"),)), "cannot be a step"),
        (NewMission(NAME, (Step("checked_in", 0),)), "1 to 10000 events"),
        (NewMission(NAME, (Step("custom", 1, (Filter("x", Comparison.AT_LEAST, "many"),)),)), "compare with a number"),
        (NewMission(NAME, (Step("custom", 1, (Filter("", Comparison.EQUALS, "1"),)),)), "a field and a value"),
        (NewMission({}, (Step("checked_in"),)), "a name is needed"),
        (NewMission(NAME, (Step("checked_in"),), rewards=Rewards(points=-1)), "points are"),
        (NewMission(NAME, (Step("checked_in"),), rewards=Rewards(draw_chances=2)), "name their draw"),
    ],
)
async def test_missions_that_make_no_sense(session: AsyncSession, new: NewMission, said: str) -> None:
    with pytest.raises(InvalidMission, match=said):
        await definitions.create(session, new)
