"""What members are told of by themselves."""

from sqlalchemy.ext.asyncio import AsyncSession

from crm.events.loyalty import (
    ActivityCancelled,
    ActivityFeedbackDue,
    ActivityPlaceGiven,
    ActivityReminderDue,
    MissionCompleted,
    RedemptionAdvanced,
    RedemptionCancelled,
    ReferralQualified,
    TierChanged,
)
from crm.events.subscriptions import subscriber
from crm.events.types import RecordedEvent
from crm.missions.service import badges, definitions
from crm.notices import activities, service
from crm.rewards.service import fulfilment
from crm.rewards.types import RedemptionStatus
from crm.tiers.service import programmes
from crm.tiers.types import Reason

_TEXTS: dict[str, str] = {
    RedemptionStatus.SHIPPED: "notices/redemption_shipped",
    RedemptionStatus.DELIVERED: "notices/redemption_delivered",
}
_SHORT = 8
_TOLD = frozenset({Reason.REACHED, Reason.FELL_SHORT, Reason.GRANTED, Reason.GRANT_ENDED})
"""A new programme moves everybody at once, which is what campaigns are for; of a merge nobody needs to hear."""


@subscriber("notices.redemption_advanced", RedemptionAdvanced)
async def on_advanced(session: AsyncSession, event: RecordedEvent) -> None:
    """Goods are on their way, or were handed over; that they are packed is the shop's own business."""
    fact = event.as_event(RedemptionAdvanced)
    if fact.status in _TEXTS:
        await _tell(session, event, fact, _TEXTS[fact.status])


@subscriber("notices.redemption_cancelled", RedemptionCancelled)
async def on_cancelled(session: AsyncSession, event: RecordedEvent) -> None:
    """A reward was taken back, and its points are there again."""
    fact = event.as_event(RedemptionCancelled)
    await _tell(session, event, fact, "notices/redemption_cancelled")


@subscriber("notices.tier_changed", TierChanged)
async def on_tier_changed(session: AsyncSession, event: RecordedEvent) -> None:
    """The member rose or fell by what they did, or by hand."""
    fact = event.as_event(TierChanged)
    if fact.member_id is None or fact.reason not in _TOLD:
        return
    live = await programmes.live(session)
    tiers = {tier.key: tier for tier in live.rules.tiers} if live else {}
    now, before = tiers.get(fact.to_tier or ""), tiers.get(fact.from_tier or "")
    is_up = fact.direction == "up"
    if is_up and now is None:
        return
    await service.tell(
        session,
        fact.member_id,
        "notices/tier_up" if is_up else "notices/tier_down",
        event_id=event.id,
        tier=now.name if now else None,
        before=before.name if before else None,
        multiplier=float(now.multiplier) if now else 1.0,
    )


@subscriber("notices.mission_completed", MissionCompleted)
async def on_mission_completed(session: AsyncSession, event: RecordedEvent) -> None:
    """The member did what a mission asks for; what it gave is said at once."""
    fact = event.as_event(MissionCompleted)
    if fact.member_id is None:
        return
    badge = await badges.get(session, fact.badge_id) if fact.badge_id is not None else None
    await service.tell(
        session,
        fact.member_id,
        "notices/mission_completed",
        event_id=event.id,
        mission=(await definitions.get(session, fact.mission_id)).name,
        points=fact.points,
        has_coupon=fact.coupon_id is not None,
        badge=badge.name if badge else None,
        chances=fact.draw_chances,
    )


@subscriber("notices.referral_qualified", ReferralQualified)
async def on_referral_qualified(session: AsyncSession, event: RecordedEvent) -> None:
    """A friend whom the member invited counts now."""
    fact = event.as_event(ReferralQualified)
    if fact.member_id is not None:
        await service.tell(session, fact.member_id, "notices/referral_qualified", event_id=event.id, count=fact.count)


@subscriber("notices.activity_reminder", ActivityReminderDue)
async def on_reminder(session: AsyncSession, event: RecordedEvent) -> None:
    """An activity begins soon."""
    await activities.remind(session, event)


@subscriber("notices.activity_place_given", ActivityPlaceGiven)
async def on_place_given(session: AsyncSession, event: RecordedEvent) -> None:
    """The waiting was not in vain."""
    await activities.give_place(session, event)


@subscriber("notices.activity_cancelled", ActivityCancelled)
async def on_activity_cancelled(session: AsyncSession, event: RecordedEvent) -> None:
    """A registration was cancelled by somebody else, or by the lack of points."""
    await activities.cancel(session, event)


@subscriber("notices.activity_feedback", ActivityFeedbackDue)
async def on_feedback_due(session: AsyncSession, event: RecordedEvent) -> None:
    """An activity is over, and a survey asks how it was."""
    await activities.ask(session, event)


async def _tell(
    session: AsyncSession, event: RecordedEvent, fact: RedemptionAdvanced | RedemptionCancelled, name: str
) -> None:
    redemption = await fulfilment.get(session, fact.redemption_id)
    await service.tell(
        session,
        redemption.member_id,
        name,
        event_id=event.id,
        reward=redemption.name,
        number=redemption.id.hex[-_SHORT:].upper(),
        tracking=redemption.tracking,
        points=redemption.price.points,
    )
