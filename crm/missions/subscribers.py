"""Reactions of missions to events."""

from sqlalchemy.ext.asyncio import AsyncSession

from crm.events.catalogue import (
    ButtonTapped,
    CheckedIn,
    CustomEvent,
    MemberSignedUp,
    MemberUpdated,
    OrderPlaced,
    SurveyCompleted,
)
from crm.events.loyalty import ActivityAttended, DrawPlayed, ReferralQualified, RewardRedeemed, VoucherUsed
from crm.events.subscriptions import subscriber
from crm.events.types import RecordedEvent
from crm.missions.service import progress
from crm.missions.service.definitions import COUNTING


@subscriber(
    COUNTING,
    *(MemberSignedUp, MemberUpdated, CheckedIn, SurveyCompleted, OrderPlaced, ButtonTapped),
    *(ReferralQualified, RewardRedeemed, VoucherUsed, DrawPlayed, ActivityAttended, CustomEvent),
    choosy=True,
)
async def count(session: AsyncSession, event: RecordedEvent) -> None:
    """Count it; handed over only while some active mission asks for its kind."""
    await progress.count(session, event)
