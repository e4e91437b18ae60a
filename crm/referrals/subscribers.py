"""Reactions of referrals to events: a friend may have done what is asked for."""

from sqlalchemy.ext.asyncio import AsyncSession

from crm.events.catalogue import CheckedIn, MemberSignedUp, MemberUpdated, OrderPlaced
from crm.events.subscriptions import subscriber
from crm.events.types import RecordedEvent
from crm.referrals.service import qualifying
from crm.referrals.service.programmes import SUBSCRIBER


@subscriber(SUBSCRIBER, MemberSignedUp, CheckedIn, OrderPlaced, MemberUpdated, choosy=True)
async def qualify(session: AsyncSession, event: RecordedEvent) -> None:
    """Handed over only for acts that some programme asks for."""
    await qualifying.qualify(session, event)
