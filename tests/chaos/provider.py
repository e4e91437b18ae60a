"""The simulated Telegram of a chaos run, which takes whatever comes, and what it has seen."""

from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from bot.channels.telegram.simulator.client import SimulatorClient
from bot.channels.telegram.simulator.config import RateLimits, SimulatorConfig
from bot.channels.telegram.simulator.json_types import Json
from bot.channels.telegram.simulator.server import RunningSimulator, running_simulator
from bot.channels.telegram.simulator.world.dialogs import Dialog


@dataclass(frozen=True)
class Provider:
    """The simulator in this process: its fault script over HTTP, its memory read directly."""

    server: RunningSimulator
    client: SimulatorClient
    last: dict[tuple[int, int], float]
    """When the last message came, in seconds by the simulator's clock, by bot and chat."""
    places: dict[tuple[int, int], int]
    """The how-manieth message of the bot that was, by bot and chat."""
    numbers: Counter[int]
    """Messages by bot."""

    async def new_bot(self, name: str) -> Json:
        """A bot that any positive chat id has started; with `id` and `token`."""
        return await self.client.create_bot(f"{name}_bot", name)

    async def person(self, chat: int) -> None:
        """Somebody whose id is `chat`; a broadcast of another test may have made them already."""
        if chat not in self.server.simulator.world.people:
            await self.client.create_user("Lin", user_id=chat, language_code="en")

    def accepted(self, bot_id: int) -> dict[int, list[str]]:
        """The texts that each chat was sent by the bot, in order."""
        world = self.server.simulator.world
        return {
            chat: [str(message.body.get("text")) for message in messages.values() if message.bot_id == bot_id]
            for (owner, chat), messages in world.messages.items()
            if owner == bot_id
        }

    def note(self, event: Json, dialog: Dialog) -> None:
        """Remember a message of a bot, and pass the event on."""
        simulator = self.server.simulator
        message = simulator.world.history(dialog).get(event.get("message_id", 0))
        if message is not None and message.bot_id:
            self.numbers[message.bot_id] += 1
            self.last[message.bot_id, dialog.chat_id] = simulator.config.clock()
            self.places[message.bot_id, dialog.chat_id] = self.numbers[message.bot_id]
        simulator.live.tell(event, dialog)

    def count(self, bot_id: int) -> int:
        """How many messages of the bot were accepted so far."""
        return self.numbers[bot_id]

    def arrivals(self, bot_id: int) -> dict[int, float]:
        """When each chat got its last message, in seconds by the simulator's clock."""
        return {chat: at for (owner, chat), at in self.last.items() if owner == bot_id}

    def calls(self, bot_id: int, method: str = "sendmessage") -> Iterator[dict[str, Any]]:
        """Every answered call since the start: `at` (seconds by the simulator's clock) and `status`, 0 when cut."""
        latest = self.server.simulator.statistics.latest
        return (call for call in latest if call["bot_id"] == bot_id and call["method"] == method)


@asynccontextmanager
async def provider() -> AsyncIterator[Provider]:
    """A provider without limits of its own, which remembers every call."""
    config = SimulatorConfig(accepts_any_chat=True, limits=RateLimits(is_enforced=False))
    async with running_simulator(config) as server, SimulatorClient(server.base_url) as client:
        server.simulator.statistics.latest = deque()
        made = Provider(server, client, {}, {}, Counter())
        server.simulator.world.watcher = made.note
        yield made
