"""A running simulator with one bot, a person who has started it, and a plain HTTP caller."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from bot.channels.telegram.simulator.client import SimulatorClient
from bot.channels.telegram.simulator.config import BotAccount, RateLimits, SimulatorConfig
from bot.channels.telegram.simulator.core import Simulator
from bot.channels.telegram.simulator.server import running_simulator
from bot.channels.telegram.simulator.tokens import new_bot_token


class SettableClock:
    """A clock that a test moves by hand."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Stage:
    """Everything that a test needs to act on both sides."""

    base_url: str
    token: str
    bot_id: int
    person_id: int
    client: SimulatorClient
    http: aiohttp.ClientSession
    simulator: Simulator
    clock: SettableClock

    async def call(self, method: str, **parameters: Any) -> Any:
        """Call a method as the bot; gives the result."""
        status, body = await self.try_call(method, **parameters)
        assert status == 200, body
        return body["result"]

    async def try_call(self, method: str, **parameters: Any) -> tuple[int, dict[str, Any]]:
        """Call a method as the bot; gives status and body."""
        address = f"{self.base_url}/bot{self.token}/{method}"
        async with self.http.post(address, json=parameters) as answer:
            return answer.status, await answer.json()

    async def refused(self, method: str, **parameters: Any) -> str:
        """Call a method that must be refused; gives code and description."""
        status, body = await self.try_call(method, **parameters)
        assert body["ok"] is False
        assert body["error_code"] == status
        return f"{status} {body['description']}"

    async def send(self, text: str, **more: Any) -> Any:
        """Send a text to the person."""
        return await self.call("sendMessage", chat_id=self.person_id, text=text, **more)

    async def updates(self, **parameters: Any) -> list[dict[str, Any]]:
        """Fetch updates as the bot."""
        fetched = await self.call("getUpdates", **parameters)
        return [dict(update) for update in fetched]


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    clock = SettableClock()
    token = new_bot_token()
    bot = BotAccount(token, "tea_bot", "Tea")
    config = SimulatorConfig(
        bots=(bot,), limits=RateLimits(is_enforced=False), clock=clock, webhook_first_retry_seconds=0.01
    )
    async with (
        running_simulator(config) as running,
        SimulatorClient(running.base_url) as client,
        aiohttp.ClientSession() as http,
    ):
        person = await client.create_user("小明", language_code="zh-hans", phone="+8613800138000")
        await client.start(person["id"], bot.id)
        stage = Stage(running.base_url, token, bot.id, person["id"], client, http, running.simulator, clock)
        await stage.updates(offset=-1)
        [update] = await stage.updates()
        await stage.updates(offset=update["update_id"] + 1)
        yield stage
