"""Reactions of activities to events: whoever waits gets the place that a cancellation leaves."""

from sqlalchemy.ext.asyncio import AsyncSession

from crm.activities.service import promoting
from crm.events.loyalty import ActivityCancelled
from crm.events.subscriptions import subscriber
from crm.events.types import RecordedEvent


@subscriber("activities.promote", ActivityCancelled)
async def promote(session: AsyncSession, event: RecordedEvent) -> None:
    """Give the place to the next in line, if one is free."""
    await promoting.promote(session, int(event.data["activity_id"]))
