"""Events become messages: one for each endpoint that is told of their kind."""

from sqlalchemy.ext.asyncio import AsyncSession

from crm.events.subscriptions import subscriber
from crm.events.types import RecordedEvent
from crm.webhooks import messages
from crm.webhooks.service import SUBSCRIBER


@subscriber(SUBSCRIBER, choosy=True)
async def on_event(session: AsyncSession, event: RecordedEvent) -> None:
    """Keep a message for each; the key of endpoint and event makes a repeat harmless."""
    await messages.keep(session, event)
