"""One running deployment for all tests of this folder, with a simulated Telegram beside it."""

import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from bot.channels.telegram.simulator.client import SimulatorClient
from bot.channels.telegram.simulator.config import BotAccount, SimulatorConfig
from bot.channels.telegram.simulator.server import RunningSimulator, running_simulator
from bot.channels.telegram.simulator.tokens import new_bot_token
from crm.db.session import Sessions, Surroundings, make_engine, make_sessions
from runtime.embedded.process import free_port
from tests.acceptance.chat import Person
from tests.acceptance.deployment import Deployment
from tests.conftest import SECRET, Servers

BOT = "@acceptance_bot"


@dataclass(frozen=True)
class Telegram:
    """The simulator in this process, with the token of the deployment's bot."""

    server: RunningSimulator
    client: SimulatorClient
    token: str
    bot: str = BOT

    async def person(self, name: str = "Lin", *, phone: str = "") -> Person:
        """Somebody new who may talk to the bot."""
        return await Person.make(self.client, BOT, name=name, phone=phone)


def deployment_settings(servers: Servers, database_url: str, folder: Path) -> dict[str, str]:
    """The environment of processes over the test's servers."""
    port = free_port()
    return {
        "SIYU_DATABASE_URL": database_url,
        "SIYU_VALKEY_URL": servers.valkey_url,
        "SIYU_DATA_DIR": str(folder / "data"),
        "SIYU_HTTP_PORT": str(port),
        "SIYU_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "SIYU_SECRET_KEY": SECRET.decode(),
    }


@pytest.fixture(scope="session")
async def telegram() -> AsyncIterator[Telegram]:
    """A Bot API server that outlives the deployment's processes."""
    token = new_bot_token()
    config = SimulatorConfig(bots=(BotAccount(token, BOT.removeprefix("@"), "Acceptance"),))
    async with running_simulator(config) as server, SimulatorClient(server.base_url) as client:
        yield Telegram(server, client, token)


@pytest.fixture(scope="session")
async def deployment(
    servers: Servers, telegram: Telegram, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Deployment]:
    """Migrated, with all five processes running."""
    folder = tmp_path_factory.mktemp("deployment")
    settings = deployment_settings(servers, await servers.new_database("acceptance"), folder)
    settings |= {"SIYU_TELEGRAM_BOT_TOKEN": telegram.token, "SIYU_TELEGRAM_API_BASE": telegram.server.base_url}
    made = Deployment(settings, folder)
    migrated = await made.siyu("migrate")
    assert migrated.status == 0, migrated.err
    await made.start()
    yield made
    await made.end(signal.SIGTERM)


@pytest.fixture(scope="session")
async def key(deployment: Deployment) -> str:
    """An API key with every scope."""
    return await deployment.key()


@pytest.fixture
async def office(deployment: Deployment, key: str) -> AsyncIterator[httpx.AsyncClient]:
    """The admin API of the deployment, with that key."""
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(base_url=f"{deployment.base_url}/api/v1/", headers=headers, timeout=60) as client:
        yield client


@pytest.fixture
async def committed(deployment: Deployment, surroundings: Surroundings) -> AsyncIterator[Sessions]:
    """Sessions over the deployment's own database."""
    engine = make_engine(deployment.settings["SIYU_DATABASE_URL"], pool_size=5)
    yield make_sessions(engine, surroundings)
    await engine.dispose()
