"""What channels can take, for those who write deliveries before a sender is at hand."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.session import surroundings
from crm.messages.types import ChannelTraits

PORT = "channel_traits"


def traits_of(session: AsyncSession, channel: str) -> ChannelTraits:
    """The traits of a channel; the cautious ones for a channel that this process does not know."""
    known: Mapping[str, Any] = surroundings(session).ports.get(PORT, {})
    return known.get(channel) or ChannelTraits(channel)
