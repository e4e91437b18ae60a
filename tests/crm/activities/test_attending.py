"""Checking in, reminders, feedback and the report."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.activities import policy
from crm.activities.conditions.activity import ActivityParameters
from crm.activities.conditions.activity import activity as condition
from crm.activities.errors import (
    AlreadyAttended,
    DoorClosed,
    NotRegistered,
    RegistrationNotFound,
    StillWaiting,
    WrongDoorCode,
)
from crm.activities.service import attending, definitions, offering, registering, reporting, telling
from crm.activities.types import ActivityStatus, Presence, QuestionAverage, Registration, RegistrationStatus, Report
from crm.db.session import Sessions
from crm.events import service as events
from crm.events.loyalty import ActivityAttended
from crm.points import earning_rules
from crm.points import service as points
from crm.surveys import service as surveys
from tests.conftest import At
from tests.factories.activities import door_code, make_activity, make_feedback_survey, new_activity
from tests.factories.members import make_member

S = RegistrationStatus


async def test_the_code_at_the_door(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T08:00:00Z")
    member, stranger, waiting = [await make_member(session) for _ in range(3)]
    activity = await make_activity(session, capacity=1)
    code = await door_code(session, activity)
    for one in (member, waiting):
        await registering.register(session, one.id, activity.id)
    with pytest.raises(WrongDoorCode):
        await attending.by_door(session, member.id, code)
    await at(session, "2026-03-08T06:00:00Z")
    for wrong in ("", "x" * 500, "🍵", f"{code}2"):
        with pytest.raises(WrongDoorCode):
            await attending.by_door(session, member.id, wrong)
    with pytest.raises(NotRegistered):
        await attending.by_door(session, stranger.id, code)
    with pytest.raises(StillWaiting):
        await attending.by_door(session, waiting.id, code)
    came = await attending.by_door(session, member.id, f" {code[:4].lower()}-{code[4:]} ")
    assert (came.status, came.is_new, came.changed_by) == (S.ATTENDED, True, "member")
    assert not (await attending.by_door(session, member.id, code)).is_new
    told = [event for event in await events.timeline(session, member.id) if event.kind == ActivityAttended.kind]
    assert [event.data["activity_id"] for event in told] == [activity.id]
    await definitions.renew_door(session, activity.id)
    with pytest.raises(WrongDoorCode):
        await attending.by_door(session, stranger.id, code)


async def test_the_desk(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T08:00:00Z")
    one, late, waiting, gone = [await make_member(session) for _ in range(4)]
    activity, other = await make_activity(session, capacity=3), await make_activity(session)
    made = {member.id: await registering.register(session, member.id, activity.id) for member in (one, late, gone)}
    made[waiting.id] = await registering.register(session, waiting.id, activity.id)
    await registering.cancel(session, gone.id, activity.id)

    async def enters(known: Registration) -> Registration:
        return await attending.by_desk(session, activity.id, known.code, by="operator:1")

    with pytest.raises(DoorClosed):
        await enters(made[one.id])
    await at(session, "2026-03-08T08:30:00Z")
    with pytest.raises(NotRegistered):
        await enters(made[gone.id])
    with pytest.raises(StillWaiting):
        await enters(made[waiting.id])
    for wrong in (made[one.id].code[:-1], "", "%"):
        with pytest.raises(RegistrationNotFound):
            await attending.by_desk(session, activity.id, wrong, by="operator:1")
    with pytest.raises(RegistrationNotFound):
        await attending.by_desk(session, other.id, made[one.id].code, by="operator:1")
    assert (await enters(made[one.id])).changed_by == "operator:1"
    with pytest.raises(AlreadyAttended):
        await enters(made[one.id])
    await at(session, "2026-03-08T20:00:00Z")
    with pytest.raises(DoorClosed):
        await attending.by_door(session, late.id, await door_code(session, activity))
    assert (await enters(made[late.id])).status is S.ATTENDED
    await at(session, "2026-03-09T10:00:00Z")
    assert await definitions.close_due(session) == 2
    assert (await definitions.get(session, activity.id)).status is ActivityStatus.CLOSED


async def test_one_code_at_a_hundred_desks(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        member = await make_member(session)
        activity = await make_activity(session, days=0.05)
        made = await registering.register(session, member.id, activity.id)
    room = asyncio.Semaphore(40)

    async def enter() -> bool:
        try:
            async with room, committed_sessions.begin() as session:
                await attending.by_desk(session, activity.id, made.code, by="operator:1")
        except AlreadyAttended:
            return False
        return True

    assert sum(await asyncio.gather(*(enter() for _ in range(100)))) == 1


async def test_reminders_come_once_each_and_follow_a_change(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T08:00:00Z")
    member, late, waiting = [await make_member(session) for _ in range(3)]
    activity = await make_activity(session, reminder_hours=[2, 24], capacity=2)

    async def told(moment: str) -> list[int]:
        await at(session, moment)
        await telling.tell_due(session)
        assert await telling.tell_due(session) == 0
        found = [event for event in await events.timeline(session, member.id) if event.kind == "activity_reminder_due"]
        return [event.data["hours"] for event in found]

    await registering.register(session, member.id, activity.id)
    assert await told("2026-03-07T07:59:59Z") == []
    assert await told("2026-03-07T08:00:00Z") == [24]
    await at(session, "2026-03-08T07:00:00Z")
    for one in (late, waiting):
        await registering.register(session, one.id, activity.id)
    assert await told("2026-03-08T07:30:00Z") == [1, 24]
    assert "activity_reminder_due" not in [event.kind for event in await events.timeline(session, late.id)]
    moved = await new_activity(session, starts_at=activity.terms.starts_at + timedelta(days=7), reminder_hours=[24])
    await definitions.change(session, activity.id, moved)
    assert await told("2026-03-14T08:00:00Z") == [24, 1, 24]
    await registering.cancel(session, member.id, activity.id)
    assert await told("2026-03-16T08:00:00Z") == [24, 1, 24]


async def test_feedback_of_those_who_came(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T08:00:00Z")
    survey = await make_feedback_survey(session)
    came, missed, silent, elsewhere = [await make_member(session) for _ in range(4)]
    activity = await make_activity(session, survey_id=survey.id, feedback_hours=1)
    for member in (came, missed, silent):
        await registering.register(session, member.id, activity.id)
    await at(session, "2026-03-08T08:00:00Z")
    for member in (came, silent):
        await attending.by_door(session, member.id, await door_code(session, activity))
    assert await attending.survey_to_answer(session, missed.id) is None
    assert await attending.survey_to_answer(session, came.id) == "tea-evening"
    await at(session, "2026-03-08T10:59:59Z")
    await telling.tell_due(session)
    assert (await reporting.report(session, activity.id)).missed == 1
    kinds = [event.kind for event in await events.timeline(session, came.id)]
    assert "activity_feedback_due" not in kinds
    await at(session, "2026-03-08T11:00:00Z")
    for _ in range(2):
        await telling.tell_due(session)
    for member, many in ((came, 1), (missed, 0)):
        kinds = [event.kind for event in await events.timeline(session, member.id)]
        assert kinds.count("activity_feedback_due") == many
    for member, stars in ((came, 4), (elsewhere, 1)):
        run = await surveys.open_run(session, member.id, survey.id)
        await surveys.record_answer(session, member.id, run.response_id, "stars", stars)
        await surveys.complete(session, member.id, run.response_id)
    found = await reporting.report(session, activity.id)
    average = QuestionAverage("stars", {"en": "Stars?", "zh-CN": "Stars?（中文）"}, 1, 4.0)
    assert found == Report(3, 0, 0, 2, 1, 1, [average])
    page = await reporting.participants(session, activity.id, limit=2)
    rest = await reporting.participants(session, activity.id, cursor=page.next_cursor)
    assert [one.member_id for one in (*page.items, *rest.items)] == [came.id, missed.id, silent.id]
    only = await reporting.participants(session, activity.id, status=S.REGISTERED)
    assert [one.member_id for one in only.items] == [missed.id]


async def test_coming_earns_points_by_a_rule(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T08:00:00Z")
    await earning_rules.create(session, kind="activity", name="Came", parameters={"points": 25})
    member, activity = await make_member(session), await make_activity(session)
    await registering.register(session, member.id, activity.id)
    await at(session, "2026-03-08T08:00:00Z")
    await attending.by_door(session, member.id, await door_code(session, activity))
    event = (await events.timeline(session, member.id))[0]
    assert event.kind == ActivityAttended.kind
    for _ in range(2):
        await points.award(session, event)
    assert await points.balance(session, member.id) == 25


async def test_the_ticket_is_the_members_own(session: AsyncSession) -> None:
    member, other = [await make_member(session) for _ in range(2)]
    activity = await make_activity(session)
    made = await registering.register(session, member.id, activity.id)
    ticket = await offering.ticket(session, member.id, activity.id)
    assert ticket is not None
    assert ticket[0] == made.code
    assert await offering.ticket(session, other.id, activity.id) is None


async def test_who_missed_it_is_known_when_it_is_over(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T08:00:00Z")
    member, activity = await make_member(session), await make_activity(session)
    await registering.register(session, member.id, activity.id)
    missed = ActivityParameters(presence=Presence.MISSED, activity_id=activity.id)
    for moment, expected in (("2026-03-08T09:59:59Z", False), ("2026-03-08T10:00:00Z", True)):
        now = await at(session, moment)
        facts = await condition.facts(session, [member.id])
        assert condition.matches(missed, facts.get(member.id), now) is expected


def test_codes_as_people_type_them() -> None:
    assert policy.clean_code(" ab12-cd34\n") == "AB12CD34"
    assert len(policy.new_code()) == policy.CODE_LENGTH
    assert len(policy.clean_code("A" * 10**6)) == policy.CODE_LENGTH + 1
