"""One embedded PostgreSQL and Valkey per test worker; its databases are cloned from a migrated template."""

import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import asyncpg
import pytest
from hypothesis import HealthCheck, settings
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from crm.config.settings import EgressSettings
from crm.db import clock
from crm.db.session import Sessions, Surroundings, make_engine, make_sessions
from crm.deliveries import channels
from crm.events import subscriptions
from crm.kit import egress
from crm.kit.crypto import Vault
from crm.messages import flow_texts
from crm.segments import catalogue
from runtime.channels import discover_channels
from runtime.egress import make_egress
from runtime.embedded.postgres import start_postgres
from runtime.embedded.valkey import start_valkey
from runtime.migrate import migrate
from runtime.queue import PgqueuerJobQueue
from tests import shared_servers
from tests.requirements import REQUIRE_ALL

pytest_plugins = ["tests.browsers"]
# How fast examples come says something about the machine, not about Siyu. What continuous integration draws is the
# same for the same code; new examples are found where people run the tests.
settings.register_profile(
    "siyu",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=os.environ.get(REQUIRE_ALL) == "1",
)
settings.load_profile("siyu")
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "400"}
TEMPLATE = "siyu_template"
SECRET = b"a secret that only tests know, 32+"


@dataclass(frozen=True)
class Servers:
    """Addresses of the run's servers."""

    postgres_url: str
    valkey_url: str
    slot: int | None = None
    """On servers that several runs share, the number of this run."""

    def database(self, name: str) -> str:
        """The address of another database on the same server."""
        return self.postgres_url.rsplit("/", 1)[0] + "/" + name

    async def new_database(self, name: str) -> str:
        """The address of a new database without anything in it."""
        await self._administer(f'CREATE DATABASE "{name}"')
        return self.database(name)

    async def drop_database(self, name: str) -> None:
        """Drop a database that nobody uses any more.

        Not by force: that asks for the right to end an autovacuum of the superuser's, while the plain statement
        lets the server send it away.
        """
        await self._administer(f'DROP DATABASE "{name}"')

    async def _administer(self, statement: str) -> None:
        admin = await asyncpg.connect(self.postgres_url)
        try:
            await admin.execute(statement)
        finally:
            await admin.close()


async def migrate_template(servers: Servers) -> None:
    """Make the database from which all others of the tests are cloned."""
    await migrate(await servers.new_database(TEMPLATE))


@pytest.fixture(scope="session")
async def servers() -> AsyncIterator[Servers]:
    """Servers of this worker alone, with a migrated template database; gone without a trace at the end."""
    if shared_servers.VARIABLE in os.environ:
        postgres_url, valkey_url, folder = os.environ[shared_servers.VARIABLE].split()
        with shared_servers.take_slot(Path(folder)) as slot:
            yield Servers(postgres_url, valkey_url, slot)
        return
    with tempfile.TemporaryDirectory(prefix="siyu-test-") as folder:
        postgres = await start_postgres(Path(folder), settings=FAST)
        valkey = await start_valkey(Path(folder))
        found = Servers(postgres.url, valkey.url)
        await migrate_template(found)
        yield found
        await valkey.destroy()
        await postgres.destroy()


@pytest.fixture(scope="session")
def vault() -> Vault:
    """The vault of all tests."""
    return Vault(SECRET)


@pytest.fixture(scope="session")
def surroundings(vault: Vault) -> Surroundings:
    """What runtime hands to services: real subscribers, the real queue."""
    ports = {
        "job_queue": PgqueuerJobQueue(),
        subscriptions.PORT: subscriptions.discover(),
        flow_texts.PORT: flow_texts.FlowTexts(remember_seconds=0),
        catalogue.PORT: catalogue.discover(),
        channels.PORT: {name: manifest.traits for name, manifest in discover_channels().items()},
        egress.PORT: make_egress(EgressSettings()),
    }
    return Surroundings(vault, ports)


@pytest.fixture(scope="session")
def valkey_url(servers: Servers) -> str:
    """A real Valkey."""
    return servers.valkey_url


async def _clone(servers: Servers, name: str) -> str:
    if servers.slot is not None:
        await shared_servers.prepare_database(servers.postgres_url, f"{name}_{servers.slot}", TEMPLATE)
        return servers.database(f"{name}_{servers.slot}")
    admin = await asyncpg.connect(servers.postgres_url)
    await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE {TEMPLATE}')
    await admin.close()
    return servers.database(name)


@pytest.fixture(scope="session")
async def rolled_back_url(servers: Servers) -> str:
    """The worker's database whose tests roll back."""
    return await _clone(servers, "rolled_back")


@pytest.fixture(scope="session")
async def rolled_back_engine(rolled_back_url: str) -> AsyncIterator[AsyncEngine]:
    """Engine over the database whose tests roll back."""
    engine = make_engine(rolled_back_url, pool_size=5)
    yield engine
    await engine.dispose()


@pytest.fixture
async def sessions(rolled_back_engine: AsyncEngine, surroundings: Surroundings) -> AsyncIterator[Sessions]:
    """Session factory over ONE connection whose outer transaction is rolled back; commits become savepoints."""
    async with rolled_back_engine.connect() as connection:
        outer = await connection.begin()
        yield async_sessionmaker(
            connection,
            expire_on_commit=False,
            join_transaction_mode="create_savepoint",
            info={"siyu": surroundings},
        )
        await outer.rollback()


@pytest.fixture
async def session(sessions: Sessions) -> AsyncIterator[AsyncSession]:
    """A session whose work is rolled back after the test."""
    async with sessions() as opened:
        yield opened


@pytest.fixture(scope="session")
async def committed_url(servers: Servers) -> str:
    """The worker's database for tests of concurrency and claiming."""
    return await _clone(servers, "committed")


@pytest.fixture(scope="session")
async def committed_engine(servers: Servers, committed_url: str) -> AsyncIterator[AsyncEngine]:
    """Engine over the database for real commits, with room for 100 parallel transactions."""
    engine = make_engine(committed_url, pool_size=40)
    if servers.slot is not None:
        async with engine.begin() as connection:
            await connection.execute(text(_TRUNCATE))
    yield engine
    await engine.dispose()


@pytest.fixture
async def committed_sessions(committed_engine: AsyncEngine, surroundings: Surroundings) -> AsyncIterator[Sessions]:
    """Session factory with real commits; every table is emptied afterwards."""
    yield make_sessions(committed_engine, surroundings)
    async with committed_engine.begin() as connection:
        await connection.execute(text(_TRUNCATE))


_TRUNCATE = """
DO $$ DECLARE names text; BEGIN
    SELECT string_agg(format('%I.%I', schemaname, tablename), ', ') INTO names FROM pg_tables
    WHERE schemaname = 'public' AND tablename NOT IN ('alembic_version', 'consent_topics');
    EXECUTE 'TRUNCATE ' || names || ' RESTART IDENTITY CASCADE';
END $$
"""

At = Callable[[AsyncSession, str], Awaitable[datetime]]


@pytest.fixture
def at() -> At:
    """Set the business clock of the session's transaction: `await at(session, "2026-03-01T08:00+08:00")`."""

    async def set_clock(session: AsyncSession, moment: str) -> datetime:
        when = datetime.fromisoformat(moment)
        await session.execute(text("SELECT set_config('siyu.now', :now, true)"), {"now": when.isoformat()})
        clock.remember(session, when)
        return when

    return set_clock
