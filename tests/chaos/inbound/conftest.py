"""One deployment over servers of its own for the tests of this folder: they are stopped, emptied and cut off."""

import shutil
import signal
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from crm.db.session import Surroundings, make_engine, make_sessions
from tests.acceptance.conftest import deployment_settings
from tests.chaos.inbound.estate import Estate, Ground, ground
from tests.chaos.inbound.scene import Scene
from tests.chaos.office import office_at
from tests.chaos.provider import Provider
from tests.chaos.proxy import Manner
from tests.conftest import Servers

POOL = 5
CONSUMER = "127.0.0.2"
"""The one address of this machine that webhooks may be sent to."""


@pytest.fixture(scope="package")
async def own_ground() -> AsyncIterator[Ground]:
    """Servers that only these tests use."""
    async with ground() as made:
        yield made


@pytest.fixture(scope="package")
async def whole_estate(own_ground: Ground, telegram: Provider) -> AsyncIterator[Estate]:
    """Migrated, with small pools and no process running yet."""
    folder = Path(tempfile.mkdtemp(prefix="siyu-estate-"))
    direct = Servers(own_ground.postgres.url, own_ground.valkey.url)
    name = "chaos"
    await direct.new_database(name)
    reached = Servers(
        own_ground.to_postgres.address(direct.postgres_url), own_ground.to_valkey.address(direct.valkey_url)
    )
    settings = deployment_settings(reached, reached.database(name), folder) | {
        "SIYU_TELEGRAM_API_BASE": telegram.server.base_url,
        "SIYU_DATABASE_POOL_SIZE": str(POOL),
        "SIYU_EGRESS_ALLOW_HTTP": "true",
        "SIYU_EGRESS_ALLOWED_NETWORKS": f"{CONSUMER}/32",
    }
    made = Estate(settings, folder)
    migrated = await made.siyu("migrate")
    assert migrated.status == 0, migrated.err
    yield made
    await made.end(signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="package")
async def estate_key(whole_estate: Estate) -> str:
    """An API key with every scope."""
    return await whole_estate.key(name="chaos")


@pytest.fixture
async def estate(whole_estate: Estate, own_ground: Ground, telegram: Provider) -> AsyncIterator[Estate]:
    """The deployment; after the test every way is open again."""
    yield whole_estate
    await own_ground.to_postgres.switch(Manner.PASS)
    await own_ground.to_valkey.switch(Manner.PASS)
    await telegram.client.lift_faults()


@pytest.fixture
async def scene(
    estate: Estate, own_ground: Ground, telegram: Provider, estate_key: str, surroundings: Surroundings
) -> AsyncIterator[Scene]:
    """All of it, with connections of the test's own."""
    address = own_ground.direct(estate.settings["SIYU_DATABASE_URL"])
    engine = make_engine(address, pool_size=5)
    connection = await asyncpg.connect(address)
    headers = {"Authorization": f"Bearer {estate_key}"}
    async with office_at(estate.base_url, headers) as office:
        yield Scene(estate, own_ground, telegram, office, connection, make_sessions(engine, surroundings))
    connection.terminate()
    await engine.dispose()
