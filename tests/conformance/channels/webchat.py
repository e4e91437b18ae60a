"""The web chat before the suite: what is stored for a visitor is what their page shows."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from redis.asyncio import Redis

from bot.channels.contract import ChannelContext
from bot.channels.webchat import inbound
from bot.channels.webchat.frames import Said, Tapped
from crm.bots import service as bots
from crm.config.settings import Settings
from crm.messages.markup import to_plain
from crm.webchat import service as webchat
from crm.webchat.types import ChatDirection, Visitor

from .harness import Surroundings


@dataclass
class WebchatHarness:
    """One visitor."""

    context: ChannelContext
    bot_id: int
    address: str

    async def shown(self) -> list[str]:
        """The visitor's history."""
        async with self.context.sessions() as session:
            history = await webchat.history(session, Visitor(self.bot_id, self.address))
        return [to_plain(item.text) for item in history.messages if item.direction is ChatDirection.OUT]

    def said(self, text: str) -> bytes:
        """A text."""
        return inbound.said(self.address, Said("1", text))

    def tapped(self, data: str) -> bytes:
        """A tap on a button."""
        return inbound.tapped(self.address, Tapped("1", data, None))


@asynccontextmanager
async def harness(around: Surroundings) -> AsyncIterator[WebchatHarness]:
    """A web chat with one visitor, who is away."""
    valkey = Redis.from_url(around.valkey_url)
    async with around.sessions.begin() as session:
        bot = await bots.add(session, channel="webchat", name="Chat", token=None)
    yield WebchatHarness(ChannelContext(Settings(_env_file=None), around.sessions, valkey), bot.id, "visitor-1")
    await valkey.aclose()
