"""Telegram before the suite: the shipped simulator over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import orjson
from pydantic import HttpUrl
from redis.asyncio import Redis

from bot.channels.contract import ChannelContext
from bot.channels.telegram.simulator.client import SimulatorClient
from bot.channels.telegram.simulator.config import BotAccount, RateLimits, SimulatorConfig
from bot.channels.telegram.simulator.server import running_simulator
from bot.channels.telegram.simulator.tokens import new_bot_token
from crm.bots import service as bots
from crm.config.settings import Settings, TelegramSettings

from .harness import Surroundings


@dataclass
class TelegramHarness:
    """A simulated person who has started our bot."""

    context: ChannelContext
    bot_id: int
    address: str
    client: SimulatorClient
    account_id: int

    async def shown(self) -> list[str]:
        """Texts and captions in the person's chat."""
        views = await self.client.messages(int(self.address), self.account_id)
        messages = [view["message"] for view in views if view["is_outgoing"]]
        return [message.get("text") or message.get("caption", "") for message in messages]

    def said(self, text: str) -> bytes:
        """A message."""
        return self._update(message={**self._place(), "from": self._person(), "text": text})

    def tapped(self, data: str) -> bytes:
        """A callback query."""
        message = {**self._place(), "text": "?"}
        query = {"id": "1", "from": self._person(), "chat_instance": "1", "message": message, "data": data}
        return self._update(callback_query=query)

    def _place(self) -> dict[str, object]:
        return {"message_id": 3, "date": 1_800_000_000, "chat": {"id": int(self.address), "type": "private"}}

    def _person(self) -> dict[str, object]:
        return {"id": int(self.address), "is_bot": False, "first_name": "Ming"}

    @staticmethod
    def _update(**content: object) -> bytes:
        return orjson.dumps({"update_id": 9, **content})


@asynccontextmanager
async def harness(around: Surroundings) -> AsyncIterator[TelegramHarness]:
    """A simulator with one bot and one person."""
    account = BotAccount(new_bot_token(), "tea_bot", "Tea")
    config = SimulatorConfig(bots=(account,), limits=RateLimits(is_enforced=False))
    valkey = Redis.from_url(around.valkey_url)
    async with running_simulator(config) as running, SimulatorClient(running.base_url) as client:
        person = await client.create_user("Ming")
        await client.start(person["id"], account.id)
        async with around.sessions.begin() as session:
            bot = await bots.add(session, channel="telegram", name="Tea", token=account.token)
        settings = Settings(
            _env_file=None, telegram=TelegramSettings(bot_token=None, api_base=HttpUrl(running.base_url))
        )
        context = ChannelContext(settings, around.sessions, valkey)
        yield TelegramHarness(context, bot.id, str(person["id"]), client, account.id)
    await valkey.aclose()
