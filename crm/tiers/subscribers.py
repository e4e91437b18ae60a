"""Reactions of tiers to events: what qualifies is counted at once, not only by the daily evaluation."""

from sqlalchemy.ext.asyncio import AsyncSession

from crm.events.catalogue import MembersMerged, MergeUndone, OrderPlaced, PointsAdjusted, PointsEarned
from crm.events.loyalty import OrderRefunded
from crm.events.subscriptions import subscriber
from crm.events.types import RecordedEvent
from crm.members import service as members
from crm.profiles import service as profiles
from crm.tiers.service import standings
from crm.tiers.types import Reason


@subscriber("tiers.evaluate", OrderPlaced, OrderRefunded, PointsEarned, PointsAdjusted)
async def evaluate(session: AsyncSession, event: RecordedEvent) -> None:
    """Look at the member as they are now, so that a repeat is harmless."""
    if event.member_id is not None:
        await standings.evaluate(session, await members.current_id(session, event.member_id))


@subscriber("tiers.merged", MembersMerged, MergeUndone)
async def recompute(session: AsyncSession, event: RecordedEvent) -> None:
    """Count what both did together, or apart again."""
    both = [item for item in (event.member_id, event.data["merged_member_id"]) if item is not None]
    await profiles.hold_all(session, both, may_wait=True)
    for member_id in both:
        await standings.evaluate(session, member_id, because=Reason.MERGED)
