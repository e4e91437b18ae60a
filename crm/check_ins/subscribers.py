"""Reactions of check-ins to events: make-up cards for acts."""

from sqlalchemy.ext.asyncio import AsyncSession

from crm.check_ins import cards
from crm.check_ins.programmes import EARNING
from crm.events.catalogue import MemberSignedUp, OrderPlaced, SurveyCompleted
from crm.events.loyalty import MissionCompleted, ReferralQualified, RewardRedeemed, VoucherUsed
from crm.events.subscriptions import subscriber
from crm.events.types import RecordedEvent


@subscriber(
    EARNING,
    *(MemberSignedUp, OrderPlaced, SurveyCompleted),
    *(ReferralQualified, RewardRedeemed, VoucherUsed, MissionCompleted),
    choosy=True,
)
async def earn(session: AsyncSession, event: RecordedEvent) -> None:
    """Give the cards that the settings promise; handed over only while they promise any."""
    await cards.earn(session, event)
