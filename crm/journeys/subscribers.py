"""Journeys that wait for an event."""

from sqlalchemy.ext.asyncio import AsyncSession

from crm.events.catalogue import MemberSignedUp
from crm.events.subscriptions import subscriber
from crm.events.types import RecordedEvent
from crm.journeys.enrolling import enroll_by_event, enroll_signed_up
from crm.journeys.waiting import EVENTS


@subscriber("journeys.signed_up", MemberSignedUp)
async def on_signed_up(session: AsyncSession, event: RecordedEvent) -> None:
    """Enter the member; the unique key makes a repeat harmless."""
    if event.member_id is not None:
        await enroll_signed_up(session, event.member_id)


@subscriber(EVENTS, choosy=True)
async def on_event(session: AsyncSession, event: RecordedEvent) -> None:
    """The same for every other kind of event, handed over only while an active journey waits for it."""
    await enroll_by_event(session, event)
