"""What members are told of by themselves."""

from sqlalchemy.ext.asyncio import AsyncSession

from crm.events.loyalty import RedemptionAdvanced, RedemptionCancelled
from crm.events.subscriptions import subscriber
from crm.events.types import RecordedEvent
from crm.notices import service
from crm.rewards.service import fulfilment
from crm.rewards.types import RedemptionStatus

_TEXTS: dict[str, str] = {
    RedemptionStatus.SHIPPED: "notices/redemption_shipped",
    RedemptionStatus.DELIVERED: "notices/redemption_delivered",
}
_SHORT = 8


@subscriber("notices.redemption_advanced", RedemptionAdvanced)
async def on_advanced(session: AsyncSession, event: RecordedEvent) -> None:
    """Goods are on their way, or were handed over; that they are packed is the shop's own business."""
    fact = event.as_event(RedemptionAdvanced)
    assert isinstance(fact, RedemptionAdvanced)
    if fact.status in _TEXTS:
        await _tell(session, event, fact, _TEXTS[fact.status])


@subscriber("notices.redemption_cancelled", RedemptionCancelled)
async def on_cancelled(session: AsyncSession, event: RecordedEvent) -> None:
    """A reward was taken back, and its points are there again."""
    fact = event.as_event(RedemptionCancelled)
    assert isinstance(fact, RedemptionCancelled)
    await _tell(session, event, fact, "notices/redemption_cancelled")


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
