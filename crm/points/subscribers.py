"""Reactions of points to events: the award that an inline call already gave is a no-op by its key."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncSession

from crm.events import service as events
from crm.events.catalogue import (
    ButtonTapped,
    CheckedIn,
    CustomEvent,
    MemberSignedUp,
    MemberUpdated,
    OrderPlaced,
    SurveyCompleted,
)
from crm.events.loyalty import ActivityAttended, OrderRefunded, ReferralQualified
from crm.events.subscriptions import subscriber
from crm.events.types import RecordedEvent
from crm.points import pending, service, taking_back
from crm.points.acts import ACTED, EVENTS, act_of
from crm.points.earning_rules import SELDOM


@subscriber("points.award", MemberSignedUp, CheckedIn, SurveyCompleted, OrderPlaced, CustomEvent)
async def award(session: AsyncSession, event: RecordedEvent) -> None:
    """Give what the earning rules say."""
    await service.award(session, event)


@subscriber("points.take_back", OrderRefunded)
async def take_back(session: AsyncSession, event: RecordedEvent) -> None:
    """Take back what the order earned for the part of it that was returned."""
    data = event.data
    placed_at = datetime.fromisoformat(data["placed_at"])
    placed = await events.find_alike(session, OrderPlaced.kind, placed_at, "order_id", str(data["order_id"]))
    if placed is None or placed.member_id is None:
        return
    # events of one member may be handled out of order: what is not given yet could not be taken back
    await service.award(session, placed)
    await taking_back.take_back(
        session,
        placed.member_id,
        placed.id,
        placed.occurred_at,
        paid=Decimal(data["paid"]),
        returned=Decimal(data["refunded"]),
        reason=f"refund of order {data['order_id']}",
        key=str(event.id),
    )


@subscriber(SELDOM, MemberUpdated, ButtonTapped, ReferralQualified, ActivityAttended, choosy=True)
async def award_seldom(session: AsyncSession, event: RecordedEvent) -> None:
    """The same for what most brands give nothing for: handed over only while some rule reacts to it."""
    await service.award(session, event)


@subscriber(ACTED, *EVENTS.values(), choosy=True)
async def acted(session: AsyncSession, event: RecordedEvent) -> None:
    """Points that waited for this become spendable: handed over only once some rule has made any wait."""
    act = act_of(event.kind)
    if act is not None and event.member_id is not None:
        await pending.activate_by_act(session, event.member_id, act, event.occurred_at, event.id)
