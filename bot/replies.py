"""Turns what flows say into outbound rows; nothing is sent here."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from crm.deliveries import service as deliveries
from crm.members.types import Identity
from crm.messages.types import Outbound


async def enqueue(
    session: AsyncSession, identity: Identity, source: tuple[str, str], messages: Sequence[Outbound], *, is_gated: bool
) -> Sequence[UUID]:
    """Insert the interactive deliveries of one turn, in order; reminders are gated. Answers what to deliver now."""
    return await deliveries.replies(session, identity, source, messages, is_gated=is_gated)
