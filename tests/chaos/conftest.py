"""One deployment for all chaos tests of a worker, over real PostgreSQL, Valkey and a simulated Telegram.

A test says by `fleet.have(...)` which processes it needs; what an earlier one killed is started again.
"""

import os
import signal
from collections.abc import AsyncIterator, Generator
from pathlib import Path

import asyncpg
import httpx
import pytest

from crm.db.session import Sessions, Surroundings, make_engine, make_sessions
from crm.kit.ids import token
from runtime.demo_data.dice import Dice
from tests.acceptance.conftest import deployment_settings
from tests.chaos import table
from tests.chaos.fleet import Fleet
from tests.chaos.office import office_at
from tests.chaos.provider import Provider, provider
from tests.chaos.sizes import SIZES
from tests.chaos.stage import Stage
from tests.conftest import Servers

_HERE = Path(__file__).parent
_SEED = "SIYU_CHAOS_SEED"
_MOST = 600
"""Characters of an error in the table."""
_TAIL = 3_000
"""Characters of what each process said last that a failed test shows."""


def pytest_configure(config: pytest.Config) -> None:
    """Say what the marks of this folder mean."""
    config.addinivalue_line("markers", "chaos_row(number): the row of the failure matrix that the test proves")
    config.addinivalue_line("markers", "chaos_full: makes sense only in a full run; not collected otherwise")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what only a full run is for."""
    if SIZES.is_full:
        return
    left_out = [item for item in items if _HERE in item.path.parents and item.get_closest_marker("chaos_full")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the test's row to the table, whatever came of it."""
    report = yield
    row = getattr(item, "funcargs", {}).get("row")
    into = table.folder()
    if isinstance(row, table.Row) and into is not None and (report.when == "call" or report.failed):
        row.verdict, row.seconds = report.outcome, report.duration
        if report.failed and call.excinfo is not None:
            row.saw(call.excinfo.exconly()[:_MOST])
        table.add(row, into)
    fleet = getattr(item, "funcargs", {}).get("deployed")
    if report.failed and isinstance(fleet, Fleet):
        report.sections += [(f"siyu {name}", siyu.said[-_TAIL:]) for name, siyu in fleet.running.items()]
    return report


@pytest.fixture
def row(request: pytest.FixtureRequest) -> table.Row:
    """The row that this test fills in; its number stands in the mark `chaos_row`."""
    mark = request.node.get_closest_marker("chaos_row")
    assert mark is not None, "a test of the chaos suite is marked with its row"
    return table.Row(int(mark.args[0]), scenario=request.node.name)


@pytest.fixture
def seed(row: table.Row) -> str:
    """What all chance of the test follows from; stands in the table. Set SIYU_CHAOS_SEED to throw the same again."""
    row.seed = os.environ.get(_SEED) or token(size=6)
    return row.seed


@pytest.fixture
def dice(seed: str) -> Dice:
    """Chance that can be repeated."""
    return Dice(seed)


@pytest.fixture(scope="session")
async def telegram() -> AsyncIterator[Provider]:
    """A Bot API server that outlives the deployment's processes."""
    async with provider() as running:
        yield running


@pytest.fixture(scope="session")
async def deployed(
    servers: Servers, telegram: Provider, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Fleet]:
    """Migrated, with no process running yet."""
    folder = tmp_path_factory.mktemp("chaos")
    settings = deployment_settings(servers, await servers.new_database("chaos"), folder)
    fleet = Fleet({**settings, "SIYU_TELEGRAM_API_BASE": telegram.server.base_url}, folder)
    migrated = await fleet.siyu("migrate")
    assert migrated.status == 0, migrated.err
    yield fleet
    await fleet.end(signal.SIGKILL)


@pytest.fixture
async def fleet(deployed: Fleet, telegram: Provider) -> AsyncIterator[Fleet]:
    """The deployment; after the test no fault is in force any more and no process is stopped."""
    yield deployed
    await telegram.client.lift_faults()
    for siyu in deployed.running.values():
        if siyu.process.returncode is None:
            siyu.process.send_signal(signal.SIGCONT)


@pytest.fixture(scope="session")
async def key(deployed: Fleet) -> str:
    """An API key with every scope."""
    return await deployed.key(name="chaos")


@pytest.fixture
async def office(fleet: Fleet, key: str) -> AsyncIterator[httpx.AsyncClient]:
    """The admin API, where the process `api` runs."""
    headers = {"Authorization": f"Bearer {key}"}
    async with office_at(fleet.base_url, headers) as client:
        yield client


@pytest.fixture
async def database(fleet: Fleet) -> AsyncIterator[asyncpg.Connection]:
    """A connection to the deployment's database, to look and to prepare."""
    connection = await asyncpg.connect(fleet.settings["SIYU_DATABASE_URL"])
    yield connection
    await connection.close()


@pytest.fixture
async def sessions_there(fleet: Fleet, surroundings: Surroundings) -> AsyncIterator[Sessions]:
    """Sessions over the deployment's database, for services that no API offers."""
    engine = make_engine(fleet.settings["SIYU_DATABASE_URL"], pool_size=5)
    yield make_sessions(engine, surroundings)
    await engine.dispose()


@pytest.fixture
def stage(fleet: Fleet, office: httpx.AsyncClient, database: asyncpg.Connection, telegram: Provider) -> Stage:
    """All of it in one hand."""
    return Stage(fleet, office, database, telegram)
