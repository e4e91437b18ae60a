"""A worker that is told to stop in the middle of a job that hangs: it ends by itself and gives the job back."""

import signal
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import httpx
import pytest

from crm.db.session import Surroundings, make_engine, make_sessions
from crm.imports.service import JOB
from crm.jobs.service import enqueue
from runtime.embedded.process import free_port
from tests.acceptance.conftest import deployment_settings
from tests.acceptance.deployment import Deployment
from tests.acceptance.waiting import until
from tests.conftest import Servers

GRACE = 20.0
"""Seconds within which every process ends by itself; this is what is promised."""


@pytest.fixture
async def worker(servers: Servers, tmp_path: Path) -> AsyncIterator[Deployment]:
    """A worker over a database of its own that shows its metrics."""
    settings = deployment_settings(servers, await servers.new_database("stopping"), tmp_path)
    made = Deployment({**settings, "SIYU_METRICS_PORT": str(free_port())}, tmp_path)
    assert (await made.siyu("migrate")).status == 0
    await made.start("worker")
    yield made
    await made.end(signal.SIGTERM)


async def _figures(worker: Deployment) -> str:
    async with httpx.AsyncClient() as client:
        return (await client.get(f"http://127.0.0.1:{worker.settings['SIYU_METRICS_PORT']}/metrics")).text


async def test_a_worker_in_the_middle_of_a_job_ends_in_time(worker: Deployment, surroundings: Surroundings) -> None:
    url = worker.settings["SIYU_DATABASE_URL"]
    # Two connections: inside a transaction PostgreSQL shows the activity of its first look again and again.
    database, holder = await asyncpg.connect(url), await asyncpg.connect(url)
    async with holder.transaction():
        await holder.execute("LOCK TABLE imports IN ACCESS EXCLUSIVE MODE")
        engine = make_engine(url, pool_size=2)
        async with make_sessions(engine, surroundings).begin() as session:
            await enqueue(session, JOB, {"import_id": 1})
        await engine.dispose()
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%imports%'"
        await until(lambda: database.fetchval(waiting), lambda number: number > 0)
        shown = await _figures(worker)
        assert 'siyu_processes{role="worker"} 1.0' in shown
        assert 'siyu_pool_checked_out{pool="bulk"}' in shown
        statuses = await worker.end(signal.SIGTERM, within=GRACE)
        held = await database.fetch("SELECT status::text, queue_manager_id FROM pgqueuer.pgqueuer")
    assert statuses == {"worker": 0}
    assert [tuple(row) for row in held] == [("queued", None)]
    assert await database.fetchval("SELECT count(*) FROM process_beats") == 0
    await holder.close()
    await database.close()
