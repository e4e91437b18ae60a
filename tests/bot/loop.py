"""A channel that exists only in tests: its raw updates are JSON of the input's fields."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar
from uuid import UUID

from bot import replies
from bot.dispatcher import Dispatcher
from bot.handling import Handler
from bot.intake import Intake
from bot.types import InboundInput, InputKind, SharedContact, UnusableUpdateError
from crm.bots import service as bots
from crm.bots.types import Bot
from crm.db.session import Sessions
from crm.messages.types import ChannelTraits, Outbound
from flows.engine.engine import Engine
from flows.engine.flow import Flow
from flows.engine.registry import Flows
from flows.engine.turn import Renderer
from tests.flows.engine.steps import plain

CHANNEL = "loop"


class LoopChannel:
    """Reads JSON; remembers what it was told outside of conversations."""

    name = CHANNEL
    traits = ChannelTraits(CHANNEL)

    def __init__(self) -> None:
        self.acknowledged: list[str] = []
        self.in_groups: list[tuple[str, str]] = []

    def parse(self, bot_id: int, payload: bytes) -> InboundInput | None:
        """The update as it was made by `update`."""
        try:
            fields: dict[str, Any] = json.loads(payload)
        except ValueError as error:
            raise UnusableUpdateError from error
        if fields.get("ignored"):
            return None
        contact = fields.pop("contact", None)
        kind = InputKind(fields.pop("kind", "text"))
        shared = SharedContact(*contact) if contact else None
        fields.setdefault("locale_hint", "en")
        return InboundInput(bot_id=bot_id, channel=CHANNEL, kind=kind, contact=shared, **fields)

    async def acknowledge(self, bot_id: int, tapped: InboundInput) -> None:
        """Remember the tap."""
        del bot_id
        self.acknowledged.append(str(tapped.tap_ref))

    async def answer_group(self, bot_id: int, address: str, message: Outbound) -> None:
        """Remember what was said."""
        del bot_id
        self.in_groups.append((address, message.text_html))


def update(address: str, text: str = "", **fields: Any) -> bytes:
    """A raw update."""
    return json.dumps({"address": address, "chat_key": address, "text": text, **fields}).encode()


class House:
    """A bot with its dispatcher, as one process has it; closed at the end of each test."""

    open_ones: ClassVar[list["House"]] = []

    def __init__(self, sessions: Sessions, *flows: Flow[Any], render: Renderer = plain, **options: Any) -> None:
        self.sessions = sessions
        self.channel = LoopChannel()
        self.delivered: list[UUID] = []
        self.handler = Handler(
            sessions, {CHANNEL: self.channel}, Engine(Flows(flows), render), replies.enqueue, self._deliver
        )
        self.dispatcher = Dispatcher(sessions, self.handler, **options)
        self.intake = Intake(sessions, self.dispatcher)
        self._updates = 0
        self.open_ones.append(self)

    def use(self, flows: Flows) -> None:
        """Go on with these flows."""
        self.handler.engine = replace(self.handler.engine, flows=flows)

    async def _deliver(self, delivery_ids: Sequence[UUID]) -> None:
        self.delivered += delivery_ids

    async def receive(self, bot: Bot, address: str, text: str = "", *, key: str | None = None, **fields: Any) -> bool:
        """An update comes in; it is stored when this returns."""
        self._updates += 1
        payload = update(address, text, **fields)
        chat_key = str(fields.get("chat_key", address))
        return await self.intake(
            bot_id=bot.id, update_key=key or str(self._updates), chat_key=chat_key, payload=payload
        )

    @classmethod
    async def close_all(cls) -> None:
        """No timer of one test may fire in the next."""
        for house in cls.open_ones:
            await house.dispatcher.close(patience=5)
        cls.open_ones.clear()

    async def settle(self) -> None:
        """Wait until all is handled."""
        await self.dispatcher.drain()


async def make_loop_bot(sessions: Sessions) -> Bot:
    """A committed bot of the channel."""
    async with sessions.begin() as session:
        return await bots.add(session, channel=CHANNEL, name="Loop", token=None)
