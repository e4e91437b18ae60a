"""Registering, cancelling and the waiting list: places, points and the order of the line hold under any load."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.activities import jobs, subscribers
from crm.activities.errors import (
    ActivityBegun,
    ActivityFull,
    ActivityNotFound,
    ActivityNotOpen,
    ActivityNotYet,
    ActivityState,
    ActivityTier,
    AlreadyAttended,
    InvalidActivity,
    NotRegistered,
    RegistrationOver,
)
from crm.activities.service import attending, definitions, offering, promoting, registering
from crm.activities.types import ActivityStatus, Reason, RegistrationStatus
from crm.db.session import Sessions
from crm.events import service as events
from crm.events.loyalty import ActivityAttended, ActivityCancelled
from crm.kit.errors import DomainError
from crm.members import merging
from crm.members.errors import MemberGone
from crm.missions import subscribers as missions
from crm.missions.types import Rewards, Step
from crm.points import service as points
from crm.points.errors import InsufficientPoints
from crm.profiles import service as profiles
from crm.surveys.errors import SurveyNotFound
from tests.conftest import At
from tests.factories.activities import door_code, make_activity, new_activity
from tests.factories.draws import make_mission
from tests.factories.members import make_member
from tests.factories.points import assert_sound, give
from tests.factories.tiers import make_programme

S = RegistrationStatus


async def _refuses(session: AsyncSession, error: type[DomainError], member_id: int, activity_id: int) -> None:
    with pytest.raises(error):
        async with session.begin_nested():
            await registering.register(session, member_id, activity_id)


async def _kinds(session: AsyncSession, member_id: int) -> list[str]:
    found = [event.kind for event in await events.timeline(session, member_id)]
    return [kind for kind in found if kind.startswith("activity")]


async def test_a_place_is_paid_and_kept(session: AsyncSession) -> None:
    member, activity = await make_member(session), await make_activity(session, points=30, capacity=2)
    await _refuses(session, InsufficientPoints, member.id, activity.id)
    assert (await definitions.get(session, activity.id)).counts.registered == 0
    await give(session, member.id, 100)
    made = await registering.register(session, member.id, activity.id)
    assert (made.status, made.points, made.is_new, len(made.code)) == (S.REGISTERED, 30, True, 8)
    again = await registering.register(session, member.id, activity.id)
    assert (again.id, again.is_new, await points.balance(session, member.id)) == (made.id, False, 70)
    cancelled = await registering.cancel(session, member.id, activity.id)
    assert (cancelled.status, cancelled.reason, cancelled.points) == (S.CANCELLED, Reason.MEMBER, 0)
    assert await points.balance(session, member.id) == 100
    with pytest.raises(NotRegistered):
        await registering.cancel(session, member.id, activity.id)
    anew = await registering.register(session, member.id, activity.id)
    assert (anew.id, anew.code, anew.is_new) == (made.id, made.code, True)
    assert await points.balance(session, member.id) == 70
    await registering.cancel(session, member.id, activity.id)
    assert await points.balance(session, member.id) == 100
    await assert_sound(session)


async def test_who_may_register_and_when(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T08:00:00Z")
    member = await make_member(session)
    with pytest.raises(ActivityNotFound):
        await registering.register(session, member.id, 2**62)
    await _refuses(session, ActivityNotOpen, member.id, (await make_activity(session, is_published=False)).id)
    now = await at(session, "2026-03-01T08:00:00Z")
    later = await make_activity(session, opens_at=now.replace(day=2), closes_at=now.replace(day=4))
    await _refuses(session, ActivityNotYet, member.id, later.id)
    await make_programme(session)
    gold = await make_activity(session, tiers=["gold"])
    await _refuses(session, ActivityTier, member.id, gold.id)
    assert gold.id not in [offer.activity.id for offer in await offering.offered(session, member.id)]
    await profiles.record(session, member.id, tier="gold")
    assert (await registering.register(session, member.id, gold.id)).status is S.REGISTERED
    await at(session, "2026-03-04T08:00:00Z")
    await _refuses(session, RegistrationOver, member.id, later.id)
    await at(session, "2026-03-08T08:00:00Z")
    with pytest.raises(ActivityBegun):
        await registering.cancel(session, member.id, gold.id)
    ended = await registering.cancel_for(session, member.id, gold.id, by="operator:1")
    assert (ended.reason, ended.changed_by) == (Reason.OPERATOR, "operator:1")


async def test_points_are_lost_when_it_is_too_late(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T08:00:00Z")
    one, other = [await make_member(session) for _ in range(2)]
    activity = await make_activity(session, points=30, cancel_hours=48)
    for member in (one, other):
        await give(session, member.id, 30)
        await registering.register(session, member.id, activity.id)
    await at(session, "2026-03-06T08:00:00Z")
    assert (await offering.one(session, one.id, activity.id)).gets_points_back
    await registering.cancel(session, one.id, activity.id)
    await at(session, "2026-03-06T08:00:01Z")
    assert not (await offering.one(session, other.id, activity.id)).gets_points_back
    await registering.cancel(session, other.id, activity.id)
    assert [await points.balance(session, member.id) for member in (one, other)] == [30, 0]


async def test_the_line_moves_in_order_and_nobody_slips_in(session: AsyncSession) -> None:
    members = [await make_member(session) for _ in range(5)]
    activity = await make_activity(session, capacity=1, points=10)
    for member in members:
        await give(session, member.id, 10)
    first, poor, second, _, late = members
    made = [await registering.register(session, member.id, activity.id) for member in members[:4]]
    assert [one.status for one in made] == [S.REGISTERED, S.WAITING, S.WAITING, S.WAITING]
    assert [one.place_in_line for one in made] == [None, 1, 2, 3]
    assert await points.balance(session, second.id) == 10
    await points.redeem(session, poor.id, 1, reason="else", key="else")
    await registering.cancel(session, first.id, activity.id)
    assert (await registering.register(session, late.id, activity.id)).place_in_line == 4
    back = await registering.register(session, first.id, activity.id)
    assert back.place_in_line == 5
    cancelled = (await events.timeline(session, first.id))[1]
    assert cancelled.kind == ActivityCancelled.kind
    for _ in range(2):
        await subscribers.promote.handle(session, cancelled)
    line = [await offering.one(session, member.id, activity.id) for member in members]
    assert [one.registration and one.registration.place_in_line for one in line] == [3, None, None, 1, 2]
    assert line[1].registration is None
    assert line[2].registration is not None
    assert (line[2].registration.status, await points.balance(session, second.id)) == (S.REGISTERED, 0)
    assert await _kinds(session, poor.id) == ["activity_cancelled", "activity_registered"]
    assert await _kinds(session, second.id) == ["activity_place_given", "activity_registered"]
    await assert_sound(session)


async def test_more_places_are_filled_by_the_tick(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        members = [await make_member(session) for _ in range(4)]
        activity = await make_activity(session, capacity=1)
        for member in members:
            await registering.register(session, member.id, activity.id)
        new = await new_activity(session, capacity=3)
        await definitions.change(session, activity.id, new)
    assert await jobs.promote.run(sessions) == 2
    async with sessions.begin() as session:
        after = await definitions.get(session, activity.id)
        assert (after.counts.registered, after.counts.waiting) == (3, 1)
        with pytest.raises(InvalidActivity, match="3 members have a place"):
            await definitions.change(session, activity.id, replace(new, terms=replace(new.terms, capacity=2)))
        assert await promoting.with_free_places(session) == []


async def test_without_a_waiting_list_a_full_activity_is_full(session: AsyncSession) -> None:
    one, other = [await make_member(session) for _ in range(2)]
    activity = await make_activity(session, capacity=1, has_waiting_list=False)
    await registering.register(session, one.id, activity.id)
    await _refuses(session, ActivityFull, other.id, activity.id)


async def test_what_is_called_off_gives_everything_back(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        one, other = [await make_member(session) for _ in range(2)]
        activity = await make_activity(session, capacity=1, points=10, cancel_hours=24 * 30)
        for member in (one, other):
            await give(session, member.id, 10)
            await registering.register(session, member.id, activity.id)
        await definitions.call_off(session, activity.id)
    assert (await jobs.call_off.run(sessions), await jobs.call_off.run(sessions)) == (2, 0)
    async with sessions.begin() as session:
        after = await definitions.call_off(session, activity.id)
        assert (after.status, after.counts.cancelled) == (ActivityStatus.CALLED_OFF, 2)
        assert [await points.balance(session, member.id) for member in (one, other)] == [10, 10]
        assert await promoting.promote(session, activity.id) is None
        with pytest.raises(ActivityState):
            await definitions.change(session, activity.id, await new_activity(session))
        await assert_sound(session)


async def test_what_makes_no_sense_is_refused(session: AsyncSession, at: At) -> None:
    now = await at(session, "2026-03-01T08:00:00Z")
    wrong: list[dict[str, Any]] = [
        {"ends_at": now},
        {"capacity": 0},
        {"points": -1},
        {"points": 10**10},
        {"cancel_hours": -1},
        {"reminder_hours": [0]},
        {"reminder_hours": [1, 2, 3, 4, 5, 6]},
        {"opens_at": now.replace(month=4)},
        {"closes_at": now.replace(month=4)},
        {"opens_at": now.replace(tzinfo=None)},
    ]
    for terms in wrong:
        with pytest.raises(InvalidActivity):
            await make_activity(session, **terms)
    for name in ({}, {"en": " "}):
        with pytest.raises(InvalidActivity, match="needs a name"):
            await definitions.create(session, replace(await new_activity(session), name=name))
    with pytest.raises(InvalidActivity, match="at most 1000"):
        await definitions.create(session, replace(await new_activity(session), description={"en": "x" * 1001}))
    with pytest.raises(SurveyNotFound):
        await make_activity(session, survey_id=2**62)
    with pytest.raises(InvalidActivity, match="nobody could register"):
        await make_activity(session, days=-1)
    activity = await make_activity(session, points=5)
    with pytest.raises(InvalidActivity, match="price"):
        await definitions.change(session, activity.id, await new_activity(session, points=6))
    with pytest.raises(ActivityState):
        await definitions.publish(session, activity.id)
    with pytest.raises(ActivityState, match="called off"):
        await definitions.close(session, activity.id)


async def test_a_merge_keeps_the_better_registration(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T08:00:00Z")
    keep, drop = [await make_member(session) for _ in range(2)]
    paid, waited, theirs = [await make_activity(session, capacity=2, points=10) for _ in range(3)]
    for member in (keep, drop):
        await give(session, member.id, 40)
        await registering.register(session, member.id, paid.id)
    await registering.register(session, drop.id, theirs.id)
    await registering.register(session, keep.id, waited.id)
    await registering.cancel(session, keep.id, waited.id)
    await registering.register(session, drop.id, waited.id)
    merged = await merging.merge(session, keep.id, drop.id, by="x")
    mine = {offer.activity.id: offer.registration for offer in await offering.offered(session, keep.id)}
    assert [one and one.status for one in mine.values()] == [S.REGISTERED] * 3
    assert [(await definitions.get(session, one.id)).counts.registered for one in (paid, waited, theirs)] == [1, 1, 1]
    assert await points.balance(session, keep.id) == 30 + 10 + 10
    await registering.cancel(session, drop.id, theirs.id)
    assert await points.balance(session, keep.id) == 60
    await merging.undo(session, merged, by="x")
    assert (await definitions.get(session, paid.id)).counts.registered == 1
    assert [offer.activity.id for offer in await offering.offered(session, drop.id) if offer.registration] == [
        waited.id
    ]
    await assert_sound(session)


async def _race(sessions: Sessions, members: list[int], activity_id: int) -> list[S | type[DomainError]]:
    room = asyncio.Semaphore(40)

    async def one(member_id: int) -> S | type[DomainError]:
        try:
            async with room, sessions.begin() as session:
                return (await registering.register(session, member_id, activity_id)).status
        except DomainError as error:
            return type(error)

    return list(await asyncio.gather(*(one(member_id) for member_id in members)))


async def test_a_hundred_want_the_last_place(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        members = [(await make_member(session)).id for _ in range(100)]
        activity = await make_activity(session, capacity=1, has_waiting_list=False)
        twice = await make_activity(session, capacity=5, points=10)
        await give(session, members[0], 25)
    found = await _race(committed_sessions, members, activity.id)
    assert (found.count(S.REGISTERED), found.count(ActivityFull)) == (1, 99)
    assert set(await _race(committed_sessions, members[:1] * 30, twice.id)) == {S.REGISTERED}
    async with committed_sessions.begin() as session:
        assert (await definitions.get(session, twice.id)).counts.registered == 1
        assert await points.balance(session, members[0]) == 15


async def test_cancellations_and_registrations_at_once_keep_the_line(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        members = [(await make_member(session)).id for _ in range(20)]
        activity = await make_activity(session, capacity=5, points=5)
        for member_id in members:
            await give(session, member_id, 5)
    for member_id in members[:15]:
        async with committed_sessions.begin() as session:
            await registering.register(session, member_id, activity.id)

    async def leave(member_id: int) -> None:
        async with committed_sessions.begin() as session:
            await registering.cancel(session, member_id, activity.id)
        async with committed_sessions.begin() as session:
            await promoting.promote(session, activity.id)

    await asyncio.gather(*(leave(one) for one in members[:5]), _race(committed_sessions, members[15:], activity.id))
    await jobs.promote.run(committed_sessions)
    async with committed_sessions.begin() as session:
        offers = [(await offering.one(session, one, activity.id)).registration for one in members[5:]]
        assert [one and one.status for one in offers] == [S.REGISTERED] * 5 + [S.WAITING] * 10
        assert [await points.balance(session, one) for one in members] == [5] * 5 + [0] * 5 + [5] * 10
        await assert_sound(session)


async def test_a_place_that_was_used_is_not_cancelled(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T08:00:00Z")
    member, activity = await make_member(session), await make_activity(session)
    await registering.register(session, member.id, activity.id)
    await at(session, "2026-03-08T07:00:00Z")
    await attending.by_door(session, member.id, await door_code(session, activity))
    with pytest.raises(AlreadyAttended):
        await registering.cancel(session, member.id, activity.id)
    with pytest.raises(ActivityState, match="taken place"):
        await definitions.call_off(session, activity.id)


async def test_who_was_erased_gets_no_place(session: AsyncSession) -> None:
    holder, gone, last = [await make_member(session) for _ in range(3)]
    activity = await make_activity(session, capacity=1)
    for member in (holder, gone, last):
        await registering.register(session, member.id, activity.id)
    await session.execute(text("UPDATE members SET status = 'erased' WHERE id = :id"), {"id": gone.id})
    await _refuses(session, MemberGone, gone.id, activity.id)
    await registering.cancel(session, holder.id, activity.id)
    promoted = await promoting.promote(session, activity.id)
    assert promoted is not None
    assert promoted.member_id == last.id
    assert (await _kinds(session, gone.id))[0] == "activity_cancelled"


async def test_attending_counts_for_a_mission(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T08:00:00Z")
    mission = await make_mission(session, Step(ActivityAttended.kind), rewards=Rewards(points=7))
    member, activity = await make_member(session), await make_activity(session)
    await registering.register(session, member.id, activity.id)
    await at(session, "2026-03-08T07:00:00Z")
    await attending.by_door(session, member.id, await door_code(session, activity))
    came = (await events.timeline(session, member.id))[0]
    await missions.count.handle(session, came)
    assert mission.is_active
    assert await points.balance(session, member.id) == 7
