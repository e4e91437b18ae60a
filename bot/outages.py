"""Whether an input is the first of its chat after an outage in which taps may have been lost."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot.types import InboundInput
from crm.conversations import service as conversations
from crm.conversations.types import Conversation
from crm.inbox import outages
from crm.inbox.outages import Outage
from crm.inbox.types import TakenUpdate
from crm.kit.clock import monotonic


@dataclass
class Outages:
    """Asks the database every few seconds per bot: an outage is longer than that, so its end is never missed."""

    remember_seconds: float = 5.0
    _known: dict[int, tuple[float, Outage | None]] = field(default_factory=dict)

    async def since(
        self, session: AsyncSession, taken: TakenUpdate, given: InboundInput, conversation: Conversation
    ) -> Outage | None:
        """The outage after which this is the chat's first input; None for any later input."""
        outage = await self._last(session, taken, given.at)
        if outage is None or (conversation.taps_known_until or outage.since) >= outage.until:
            return None
        await conversations.taps_known(session, conversation.id, outage.until)
        return outage

    async def _last(self, session: AsyncSession, taken: TakenUpdate, sent_at: datetime | None) -> Outage | None:
        asked_at, found = self._known.get(taken.bot_id, (None, None))
        if asked_at is None or monotonic() - asked_at >= self.remember_seconds:
            found = await outages.last(session, taken.bot_id)
            self._known[taken.bot_id] = (monotonic(), found)
        if sent_at is None or taken.received_at - sent_at <= outages.TAPS_LIVE or _covers(found, sent_at, taken):
            return found
        self._known.pop(taken.bot_id, None)
        return await outages.note_late(session, taken.bot_id, sent_at=sent_at, received_at=taken.received_at)


def _covers(outage: Outage | None, sent_at: datetime, taken: TakenUpdate) -> bool:
    """Whether a late message tells nothing new: what waited during one outage is not noted message by message."""
    if outage is None:
        return False
    return outage.since <= sent_at + outages.TAPS_LIVE and taken.received_at <= outage.until + outages.TAPS_LIVE
