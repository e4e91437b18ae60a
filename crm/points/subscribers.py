"""Reactions of points to events: the award that an inline call already gave is a no-op by its key."""

from sqlalchemy.ext.asyncio import AsyncSession

from crm.events.catalogue import CheckedIn, CustomEvent, MemberSignedUp, OrderPlaced, SurveyCompleted
from crm.events.subscriptions import subscriber
from crm.events.types import RecordedEvent
from crm.points import service


@subscriber("points.award", MemberSignedUp, CheckedIn, SurveyCompleted, OrderPlaced, CustomEvent)
async def award(session: AsyncSession, event: RecordedEvent) -> None:
    """Give what the earning rules say."""
    await service.award(session, event)
