"""The Telegram simulator for machines without a token: its own port, its own bot, its chats kept over a restart."""

import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.channels.telegram.simulator.config import BotAccount, SimulatorConfig
from bot.channels.telegram.simulator.server import running_simulator
from bot.channels.telegram.simulator.tokens import new_bot_token
from crm.bots import service as bots
from crm.db.session import Sessions

USERNAME = "siyu_bot"
_FOLDER = "simulator"
_TOKEN = "token"  # noqa: S105 - a file's name
_CHANNEL = "telegram"


@dataclass(frozen=True)
class Simulated:
    """A running simulator with the bot that Siyu serves there."""

    base_url: str
    token: str


@asynccontextmanager
async def simulated(data_dir: Path, *, port: int, name: str) -> AsyncIterator[Simulated]:
    """Run the simulator on `port`, or on any free port when that is taken."""
    folder = data_dir / _FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    token = _kept_token(folder / _TOKEN)
    config = SimulatorConfig(bots=(BotAccount(token, USERNAME, name),), data_folder=folder)
    async with running_simulator(config, port=port if _is_free(port) else 0) as running:
        yield Simulated(running.base_url, token)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


async def ensure_bot(sessions: Sessions, simulator: Simulated, *, name: str) -> None:
    """The bot of the simulator in the database, pointed at this run's address."""
    place = {"api_base": simulator.base_url, "is_simulator": True}
    async with sessions.begin() as session:
        for known in await bots.listing(session, channel=_CHANNEL):
            if known.settings.get("is_simulator"):
                await bots.change(session, known.id, settings=place, token=simulator.token)
                return
        await bots.add(session, channel=_CHANNEL, name=name, token=simulator.token, username=USERNAME, settings=place)


def _kept_token(path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        file.write(new_bot_token())
    return path.read_text().strip()
