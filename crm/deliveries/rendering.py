"""What senders need of rendering: a batch that is loaded once and then asked per recipient, without any query."""

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from crm.messages.types import ChannelTraits, Outbound


class Batch(Protocol):
    """The content of one source with the merge data of some members."""

    def render(self, member_id: int, locale: str, traits: ChannelTraits, step: int) -> Outbound:
        """The message of a step for one member. Whatever it raises counts as an error of the content."""
        ...


class Renderer(Protocol):
    """Joined by runtime from the owners of contents (campaigns, journeys) and the renderer of messages."""

    async def load(
        self, session: AsyncSession, source_kind: str, source_id: str, wanted: Sequence[tuple[int, int]]
    ) -> Batch:
        """Fetch content and merge data for members and steps, each in one query."""
        ...
