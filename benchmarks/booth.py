"""Members at the door of a worker: each hands in an update and waits until the answer to it is committed."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from bot.channels.contract import ChannelContext
from bot.dispatcher import Dispatcher
from bot.handling import Handler
from bot.intake import Intake
from bot.replies import enqueue
from crm.kit.clock import monotonic, process_now
from crm.kit.parts import load_part
from crm.members.types import Identity
from crm.messages.service import render_flow
from crm.messages.types import Outbound
from flows.engine import registry
from flows.engine.engine import Engine
from runtime.channels import discover_channels
from runtime.container import Container
from runtime.taps import TAPS

ADDRESS = 1_000_000


@dataclass(frozen=True)
class Served:
    """What serving some members came to; `waits` in milliseconds."""

    waits: Sequence[float]
    seconds: float

    @property
    def rate(self) -> float:
        """Members a second."""
        return len(self.waits) / self.seconds

    def percentile(self, share: int) -> float:
        """So many of a hundred members waited no longer, in milliseconds."""
        ordered = sorted(self.waits)
        return ordered[min(len(ordered) - 1, len(ordered) * share // 100)]


@dataclass
class Booth:
    """A worker without its channel's sender."""

    bot_id: int
    intake: Intake | None = None
    _answers: dict[str, asyncio.Future[None]] = field(default_factory=dict)
    _addresses: dict[UUID, str] = field(default_factory=dict)

    async def serve(
        self, members: Iterator[int], *, concurrent: int, seconds: float, most: int | None = None
    ) -> Served:
        """Let members check in, so many at once, until the time is over or `most` were served."""
        waits: list[float] = []
        begun = monotonic()

        async def come_in() -> None:
            for member in members:
                entered = monotonic()
                await self._visit(member)
                waits.append((monotonic() - entered) * 1000)
                if monotonic() - begun > seconds or (most is not None and len(waits) >= most):
                    return

        await asyncio.gather(*(come_in() for _ in range(concurrent)))
        return Served(waits, monotonic() - begun)

    async def note(
        self,
        session: AsyncSession,
        identity: Identity,
        source: tuple[str, str],
        messages: Sequence[Outbound],
        *,
        is_gated: bool,
    ) -> Sequence[UUID]:
        """The shipped outbox, remembering whose answer it is."""
        ids = await enqueue(session, identity, source, messages, is_gated=is_gated)
        self._addresses[ids[0]] = identity.address
        return ids

    async def answered(self, delivery_ids: Sequence[UUID]) -> None:
        """The answer was committed; it is not sent."""
        answer = self._answers.pop(self._addresses.pop(delivery_ids[0]))
        answer.set_result(None)

    async def _visit(self, member: int) -> None:
        chat = str(member + ADDRESS)
        answer = self._answers[chat] = asyncio.get_running_loop().create_future()
        assert self.intake is not None
        payload = update_of(member, member)
        await self.intake(bot_id=self.bot_id, update_key=str(member), chat_key=chat, payload=payload)
        await answer


@asynccontextmanager
async def open_booth(container: Container, bot_id: int, *, concurrency: int) -> AsyncIterator[Booth]:
    """A worker that handles so many chats at once."""
    context = ChannelContext(container.settings, container.interactive, container.valkey)
    inbound = load_part(discover_channels()["telegram"].inbound)(context)
    booth = Booth(bot_id)
    engine = Engine(registry.discover(), render_flow, TAPS)
    handler = Handler(container.interactive, {"telegram": inbound}, engine, booth.note, booth.answered)
    dispatcher = Dispatcher(container.interactive, handler, concurrency=concurrency)
    booth.intake = Intake(container.interactive, dispatcher)
    try:
        yield booth
    finally:
        await dispatcher.close()
        await inbound.close()


def update_of(update_id: int, member: int) -> bytes:
    """A check-in as Telegram sends it."""
    chat = member + ADDRESS
    person = {"id": chat, "is_bot": False, "first_name": f"Member {member}", "language_code": "en"}
    message = {
        "message_id": 1,
        "date": int(process_now().timestamp()),
        "chat": {"id": chat, "type": "private", "first_name": person["first_name"]},
        "from": person,
        "text": "/checkin",
        "entities": [{"type": "bot_command", "offset": 0, "length": 8}],
    }
    return orjson.dumps({"update_id": update_id, "message": message})
