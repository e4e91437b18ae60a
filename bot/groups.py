"""Manners in groups: the bot says once in a while that it speaks in private, and serves nobody there."""

from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brand
from crm.kit.clock import monotonic
from crm.messages.types import ChannelTraits, Outbound
from flows.engine.turn import Renderer, as_outbound

QUIET_SECONDS = 60.0
_MOST_GROUPS = 10_000


class GroupManners:
    """Remembers, in this process, where it spoke lately."""

    def __init__(self) -> None:
        self._spoke: dict[tuple[int, str], float] = {}

    def may_speak(self, bot_id: int, address: str) -> bool:
        """Whether it is time for a word in this group; counts as having spoken."""
        now = monotonic()
        if now - self._spoke.get((bot_id, address), -QUIET_SECONDS) < QUIET_SECONDS:
            return False
        if len(self._spoke) >= _MOST_GROUPS:
            self._spoke.clear()
        self._spoke[bot_id, address] = now
        return True

    async def words(self, session: AsyncSession, render: Renderer, traits: ChannelTraits) -> Outbound:
        """What is said, in the brand's first language."""
        house = await brand.get(session)
        return as_outbound(await render(session, "engine/private_only", house.default_locale, {}, traits))
