"""Reactions of draws to events: chances for acts, and for missions that promise them."""

from sqlalchemy.ext.asyncio import AsyncSession

from crm.draws.errors import DrawNotFound
from crm.draws.service import chances
from crm.draws.service.definitions import EARNING
from crm.events.catalogue import CheckedIn, MemberSignedUp, OrderPlaced, SurveyCompleted
from crm.events.loyalty import MissionCompleted, ReferralQualified, RewardRedeemed, VoucherUsed
from crm.events.subscriptions import subscriber
from crm.events.types import RecordedEvent


@subscriber(
    EARNING,
    *(MemberSignedUp, CheckedIn, SurveyCompleted, OrderPlaced),
    *(ReferralQualified, RewardRedeemed, VoucherUsed),
    choosy=True,
)
async def earn(session: AsyncSession, event: RecordedEvent) -> None:
    """Give what open draws promise; handed over only while some open draw promises it."""
    await chances.earn(session, event)


@subscriber("draws.missions", MissionCompleted)
async def earn_by_mission(session: AsyncSession, event: RecordedEvent) -> None:
    """Give the chances that the mission is rewarded with; a draw that is gone gives none."""
    draw_id, count = event.data["draw_id"], event.data["draw_chances"]
    if event.member_id is None or draw_id is None or not count:
        return
    try:
        await chances.grant(session, event.member_id, draw_id, count, key=f"event:{draw_id}:{event.id}")
    except DrawNotFound:
        return
