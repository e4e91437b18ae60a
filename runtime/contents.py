"""What senders render: contents of campaigns and journeys, joined with their recipients' plain values."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brands
from crm.campaigns import contents as campaigns
from crm.deliveries.errors import BroadcastNotFound
from crm.journeys import contents as journeys
from crm.messages.content import CompiledContent, compile_content
from crm.messages.recipients import recipients
from crm.messages.types import ChannelTraits, MessageContent, Outbound, Recipient
from flows.engine.buttons import content_prefix

Load = Callable[[AsyncSession, str], Awaitable[MessageContent]]
_KEPT = 256


async def _campaign(session: AsyncSession, source_id: str) -> MessageContent:
    return await campaigns.content(session, int(source_id))


CAMPAIGN, JOURNEY = campaigns.SOURCE, journeys.SOURCE
LETTERS: Mapping[str, str] = {CAMPAIGN: "c", JOURNEY: "j"}
"""How taps name the kind of their source: data of buttons has 64 bytes only."""
CONTENTS: Mapping[str, Load] = {CAMPAIGN: _campaign, JOURNEY: journeys.content}


@dataclass(frozen=True)
class LoadedBatch:
    """Implements `crm.deliveries.rendering.Batch`."""

    content: CompiledContent
    recipients: Mapping[int, Recipient]
    facts: journeys.Facts

    def render(self, member_id: int, locale: str, traits: ChannelTraits, step: int) -> Outbound:
        """The message for one member, by the function that previews use."""
        del locale
        begun = self.facts.get((member_id, step))
        recipient = self.recipients[member_id]
        return self.content.render(replace(recipient, trigger=begun) if begun else recipient, traits)


@dataclass
class ContentRenderer:
    """Implements `crm.deliveries.rendering.Renderer`. Contents never change once something was sent: kept compiled."""

    _kept: dict[tuple[str, str], CompiledContent] = field(default_factory=dict)

    async def load(
        self, session: AsyncSession, source_kind: str, source_id: str, wanted: Sequence[tuple[int, int]]
    ) -> LoadedBatch:
        """Content and merge data of a chunk. Raises BroadcastNotFound for a kind that nobody renders."""
        content = await self._compiled(session, source_kind, source_id)
        facts = await journeys.facts(session, source_id, wanted) if source_kind == JOURNEY else {}
        return LoadedBatch(content, await recipients(session, [member_id for member_id, _ in wanted]), facts)

    async def _compiled(self, session: AsyncSession, source_kind: str, source_id: str) -> CompiledContent:
        key = (source_kind, source_id)
        if key not in self._kept:
            load = CONTENTS.get(source_kind)
            if load is None:
                raise BroadcastNotFound
            if len(self._kept) >= _KEPT:
                self._kept.pop(next(iter(self._kept)))
            self._kept[key] = compile_content(
                await load(session, source_id),
                tap_prefix=content_prefix(LETTERS[source_kind], source_id),
                default_locale=(await brands.get(session)).default_locale,
            )
        return self._kept[key]
