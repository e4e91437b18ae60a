"""A channel's sender for tests: it remembers what it took and answers what it is told to."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy.ext.asyncio import AsyncSession

from crm.deliveries.types import Lane, SendOutcome, Sent
from crm.messages.types import ChannelTraits, Outbound


@dataclass(frozen=True)
class SentMessage:
    """One message that the fake took."""

    bot_id: int
    address: str
    message: Outbound
    lane: Lane


@dataclass
class FakeSender:
    """Implements `ChannelSender` in memory."""

    name: str = "telegram"
    traits: ChannelTraits = field(default_factory=lambda: ChannelTraits("telegram"))
    latency: float = 0.0
    """Seconds that each call takes."""
    sent: list[SentMessage] = field(default_factory=list)
    """What was taken, in order: what a member really saw."""
    calls: int = 0
    answer: Callable[[str, int], SendOutcome | None] = lambda address, call: None  # noqa: ARG005 - a default
    """Decides by address and number of the call (from 1); None takes the message."""
    is_swallowing: bool = False
    """Take each message, then answer only as `answer` says: accepted, but the answer is lost."""
    queued: deque[SendOutcome] = field(default_factory=deque)
    """Answers for the next calls, before `answer` is asked."""
    gate: asyncio.Event | None = None
    """While it is not set, calls hang after the message was taken."""

    async def send(self, bot_id: int, address: str, message: Outbound, *, lane: Lane) -> SendOutcome:
        """See `ChannelSender.send`."""
        self.calls += 1
        call = self.calls
        outcome = self.queued.popleft() if self.queued else self.answer(address, call)
        if self.latency:
            await asyncio.sleep(self.latency)
        if outcome is None or self.is_swallowing:
            self.sent.append(SentMessage(bot_id, address, message, lane))
        if self.gate is not None:
            await self.gate.wait()
        return outcome or Sent(str(call))

    def addresses(self) -> list[str]:
        """To whom it sent, in order."""
        return [item.address for item in self.sent]


@dataclass(frozen=True)
class FakeBatch:
    """Renders the same text for everyone."""

    text: str

    def render(self, member_id: int, locale: str, traits: ChannelTraits, step: int) -> Outbound:
        """See `Batch.render`."""
        del locale, traits, step
        return Outbound(self.text.replace("{member}", str(member_id)))


@dataclass
class FakeRenderer:
    """Implements `Renderer`: one text for every source, `{member}` stands for the member's id."""

    text: str = "hello {member}"
    loads: int = 0

    async def load(
        self, session: AsyncSession, source_kind: str, source_id: str, wanted: Sequence[tuple[int, int]]
    ) -> FakeBatch:
        """See `Renderer.load`."""
        del session, source_kind, source_id, wanted
        self.loads += 1
        return FakeBatch(self.text)
