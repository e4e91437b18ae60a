"""Members hear of activities without having asked: reminders, a place, a cancellation, the survey."""

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.activities.service import attending, definitions, promoting, registering, telling
from crm.conversations import service as conversations
from crm.events import service as events
from crm.events.subscriptions import Subscriber
from crm.members import service as members
from crm.members.types import Contact, MemberChanges
from crm.notices import subscribers
from tests.conftest import At
from tests.factories.activities import door_code, make_activity, make_feedback_survey
from tests.factories.members import make_contact, make_member
from tests.factories.points import give

_HANDLERS: dict[str, Subscriber] = {
    "activity_reminder_due": subscribers.on_reminder,
    "activity_place_given": subscribers.on_place_given,
    "activity_cancelled": subscribers.on_activity_cancelled,
    "activity_feedback_due": subscribers.on_feedback_due,
}


async def _told(session: AsyncSession, contact: Contact) -> str:
    """What the member's last event makes them hear; '' for nothing."""
    before = {line.id for line in await conversations.transcript(session, contact.member.id)}
    event = (await events.timeline(session, contact.member.id))[0]
    if event.kind in _HANDLERS:
        await _HANDLERS[event.kind].handle(session, event)
    lines = [line for line in await conversations.transcript(session, contact.member.id) if line.id not in before]
    assert len(lines) <= 1
    return "".join(line.text for line in lines)


@pytest.mark.parametrize(
    ("locale", "reminder", "asked"),
    [("en", "Tea evening begins", "How was it?"), ("zh-CN", "茶会", "感受如何")],
)
async def test_reminder_and_survey(session: AsyncSession, at: At, locale: str, reminder: str, asked: str) -> None:
    await at(session, "2026-03-01T08:00:00Z")
    contact = await make_contact(session)
    await members.change(session, contact.member.id, MemberChanges(locale=locale), by="test")
    activity = await make_activity(session, survey_id=(await make_feedback_survey(session)).id)
    made = await registering.register(session, contact.member.id, activity.id)
    assert await _told(session, contact) == ""
    await at(session, "2026-03-07T09:00:00Z")
    await telling.tell_due(session)
    said = await _told(session, contact)
    assert (reminder in said.replace("<b>", "").replace("</b>", ""), made.code in said, "16:00" in said) == (True,) * 3
    await at(session, "2026-03-08T08:00:00Z")
    await attending.by_door(session, contact.member.id, await door_code(session, activity))
    await at(session, "2026-03-08T13:00:00Z")
    await telling.tell_due(session)
    assert asked in await _told(session, contact)


async def test_a_reminder_that_comes_too_late_is_not_sent(session: AsyncSession, at: At) -> None:
    await at(session, "2026-03-01T08:00:00Z")
    contact, activity = await make_contact(session), await make_activity(session)
    await registering.register(session, contact.member.id, activity.id)
    await at(session, "2026-03-08T07:00:00Z")
    await telling.tell_due(session)
    await at(session, "2026-03-08T08:00:00Z")
    assert await _told(session, contact) == ""


@pytest.mark.parametrize("locale", ["en", "zh-CN"])
async def test_places_and_cancellations(session: AsyncSession, locale: str) -> None:
    contact, other = await make_contact(session), await make_member(session)
    await members.change(session, contact.member.id, MemberChanges(locale=locale), by="test")
    activity = await make_activity(session, capacity=1, points=10)

    async def queue_and_promote() -> str:
        await give(session, other.id, 10)
        await registering.register(session, other.id, activity.id)
        await registering.register(session, contact.member.id, activity.id)
        await registering.cancel(session, other.id, activity.id)
        await promoting.promote(session, activity.id)
        return await _told(session, contact)

    assert {"en": "you don't have enough", "zh-CN": "积分不够"}[locale] in await queue_and_promote()
    await give(session, contact.member.id, 10)
    assert {"en": "you're in for", "zh-CN": "候补成功"}[locale] in await queue_and_promote()
    await registering.cancel_for(session, contact.member.id, activity.id, by="operator:1")
    said = await _told(session, contact)
    assert {"en": "was cancelled", "zh-CN": "报名已取消"}[locale] in said
    assert "10" in said
    again = await registering.register(session, contact.member.id, activity.id)
    await definitions.call_off(session, activity.id)
    await promoting.end_called_off(session, activity.id, again.id)
    assert {"en": "called off", "zh-CN": "取消了"}[locale] in await _told(session, contact)
