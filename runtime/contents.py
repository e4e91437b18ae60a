"""What senders render: contents of campaigns and journeys, joined with their recipients' plain values."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brands
from crm.campaigns import service as campaigns
from crm.deliveries.errors import BroadcastNotFound
from crm.journeys import service as journeys
from crm.journeys.nodes import send
from crm.messages import service as messages
from crm.messages.content import CompiledContent, compile_content
from crm.messages.types import ButtonSpec, ChannelTraits, MessageContent, Outbound, Recipient
from flows.engine.buttons import content_prefix
from flows.engine.engine import TapResolver

Load = Callable[[AsyncSession, str], Awaitable[MessageContent]]
_KEPT = 256


async def _campaign(session: AsyncSession, source_id: str) -> MessageContent:
    return await campaigns.content(session, int(source_id))


async def _campaign_tap(session: AsyncSession, source_id: str, place: str) -> ButtonSpec | None:
    is_number = source_id.isascii() and source_id.isdigit()
    return await campaigns.tapped_button(session, int(source_id), place) if is_number else None


LETTERS: Mapping[str, str] = {campaigns.SOURCE: "c", send.SOURCE: "j"}
"""How taps name the kind of their source: data of buttons has 64 bytes only."""
CONTENTS: Mapping[str, Load] = {campaigns.SOURCE: _campaign, send.SOURCE: journeys.content}
TAPS: Mapping[str, TapResolver] = {
    LETTERS[campaigns.SOURCE]: _campaign_tap,
    LETTERS[send.SOURCE]: journeys.tapped_button,
}


@dataclass(frozen=True)
class LoadedBatch:
    """Implements `crm.deliveries.rendering.Batch`."""

    content: CompiledContent
    recipients: Mapping[int, Recipient]

    def render(self, member_id: int, locale: str, traits: ChannelTraits) -> Outbound:
        """The message for one member, by the function that previews use."""
        del locale
        return self.content.render(self.recipients[member_id], traits)


@dataclass
class ContentRenderer:
    """Implements `crm.deliveries.rendering.Renderer`. Contents never change once something was sent: kept compiled."""

    _kept: dict[tuple[str, str], CompiledContent] = field(default_factory=dict)

    async def load(
        self, session: AsyncSession, source_kind: str, source_id: str, member_ids: Sequence[int]
    ) -> LoadedBatch:
        """Content and merge data of a chunk. Raises BroadcastNotFound for a kind that nobody renders."""
        content = await self._compiled(session, source_kind, source_id)
        return LoadedBatch(content, await messages.recipients(session, member_ids))

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
