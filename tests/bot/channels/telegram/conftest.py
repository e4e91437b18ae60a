"""A simulator over real HTTP, a bot of ours that is known there, and a person who has started it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import HttpUrl
from redis.asyncio import Redis

from bot.channels.contract import ChannelContext
from bot.channels.telegram.line import Line
from bot.channels.telegram.pictures import Pictures
from bot.channels.telegram.sender import TelegramSender
from bot.channels.telegram.simulator.client import SimulatorClient
from bot.channels.telegram.simulator.config import BotAccount, RateLimits, SimulatorConfig
from bot.channels.telegram.simulator.core import Simulator
from bot.channels.telegram.simulator.server import running_simulator
from bot.channels.telegram.simulator.tokens import new_bot_token
from bot.channels.telegram.transport import BotApi
from crm.bots import service as bots
from crm.bots.types import Bot
from crm.config.settings import PublicSettings, Settings, TelegramSettings
from crm.db.session import Sessions


@dataclass
class KeptIntake:
    """An intake that keeps what it is given, and may be told to fail."""

    taken: list[tuple[int, str, str, bytes]] = field(default_factory=list)
    failures: list[Exception] = field(default_factory=list)
    hangs: bool = False
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, *, bot_id: int, update_key: str, chat_key: str, payload: bytes) -> bool:
        if self.failures:
            raise self.failures.pop(0)
        if self.hangs:
            await asyncio.Event().wait()
        self.taken.append((bot_id, update_key, chat_key, payload))
        self._arrived.set()
        return True

    async def heard(self, word: bytes, *, at_least: int = 1) -> None:
        """Wait until so many updates were taken, one with `word` among them."""
        while len(self.taken) < at_least or not any(word in payload for *_, payload in self.taken):
            self._arrived.clear()
            await self._arrived.wait()


@dataclass
class House:
    """Everything that a test needs on both sides."""

    base_url: str
    token: str
    account_id: int
    person_id: int
    bot: Bot
    client: SimulatorClient
    simulator: Simulator
    sessions: Sessions
    context: ChannelContext
    intake: KeptIntake

    @property
    def address(self) -> str:
        """The person's chat."""
        return str(self.person_id)

    async def shown(self) -> list[dict[str, Any]]:
        """The messages that the bot sent to the person, as the Bot API describes them."""
        views = await self.client.messages(self.person_id, self.account_id)
        return [view["message"] for view in views if view["is_outgoing"]]

    async def texts(self) -> list[str]:
        """Texts or captions of what the bot sent."""
        return [message.get("text") or message.get("caption", "") for message in await self.shown()]

    async def calls(self, method: str) -> int:
        """How often a method was called, with whatever outcome."""
        counts = (await self.client.statistics())["counts"].get(method.lower(), {})
        return sum(counts.values())

    async def change_bot(self, **changes: Any) -> Bot:
        """Change our bot."""
        async with self.sessions.begin() as session:
            return await bots.change(session, self.bot.id, **changes)

    async def stored_bot(self) -> Bot:
        """Our bot as it is now."""
        async with self.sessions() as session:
            return await bots.get(session, self.bot.id)


@pytest.fixture
async def house(committed_sessions: Sessions, valkey_url: str) -> AsyncIterator[House]:
    account = BotAccount(new_bot_token(), "tea_bot", "Tea")
    config = SimulatorConfig(bots=(account,), limits=RateLimits(is_enforced=False), webhook_first_retry_seconds=0.01)
    valkey = Redis.from_url(valkey_url)
    async with running_simulator(config) as running, SimulatorClient(running.base_url) as client:
        person = await client.create_user("小明", language_code="zh-hans", phone="+8613800138000")
        await client.start(person["id"], account.id)
        async with committed_sessions.begin() as session:
            bot = await bots.add(session, channel="telegram", name="Tea", token=account.token)
        settings = Settings(
            _env_file=None,
            telegram=TelegramSettings(bot_token=None, api_base=HttpUrl(running.base_url)),
            public=PublicSettings(url=None),
        )
        intake = KeptIntake()
        context = ChannelContext(settings, committed_sessions, valkey, intake)
        yield House(
            running.base_url,
            account.token,
            account.id,
            person["id"],
            bot,
            client,
            running.simulator,
            committed_sessions,
            context,
            intake,
        )
    await valkey.aclose()


@pytest.fixture
async def sender(house: House) -> AsyncIterator[TelegramSender]:
    """A sender that waits two seconds for an answer."""
    api = BotApi(connect_timeout=5)
    line = Line(api, house.sessions, house.base_url, read_timeout=2)
    made = TelegramSender(line, Pictures(house.sessions))
    yield made
    await made.close()
