"""What deliveries say about campaigns."""

from sqlalchemy.ext.asyncio import AsyncSession

from crm.campaigns import launching
from crm.campaigns.service import SOURCE
from crm.deliveries.types import Reason
from crm.events.catalogue import BroadcastFinished, BroadcastPaused
from crm.events.subscriptions import subscriber
from crm.events.types import RecordedEvent


@subscriber("campaigns.finished", BroadcastFinished)
async def on_finished(session: AsyncSession, event: RecordedEvent) -> None:
    """The last delivery came to its end."""
    if event.data["source_kind"] == SOURCE:
        await launching.note_finished(session, int(event.data["source_id"]))


@subscriber("campaigns.paused", BroadcastPaused)
async def on_paused(session: AsyncSession, event: RecordedEvent) -> None:
    """Sending stopped by itself; a pause that ends by itself is shown with the counts and needs nobody."""
    by_itself = event.data["reason"] != Reason.OPERATOR and event.data["until"] is None
    if event.data["source_kind"] == SOURCE and by_itself:
        await launching.note_paused(session, int(event.data["source_id"]), event.data["reason"])
