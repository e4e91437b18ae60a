"""Journeys that wait for an event."""

from sqlalchemy.ext.asyncio import AsyncSession

from crm.events.catalogue import MemberSignedUp
from crm.events.subscriptions import subscriber
from crm.events.types import RecordedEvent
from crm.journeys.enrolling import enroll_signed_up


@subscriber("journeys.signed_up", MemberSignedUp)
async def on_signed_up(session: AsyncSession, event: RecordedEvent) -> None:
    """Enter the member; the unique key makes a repeat harmless."""
    if event.member_id is not None:
        await enroll_signed_up(session, event.member_id)
