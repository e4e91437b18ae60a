"""`siyu worker`: queued jobs, the relay of events, webhooks, and what other processes left."""

import asyncio

import asyncpg

from runtime.container import Container
from runtime.conversing import open_conversing, sweep
from runtime.egress import make_egress
from runtime.jobs import discover_jobs, run_jobs
from runtime.loops import keep
from runtime.processes.frame import process
from runtime.relay import run_relay
from runtime.settled import read_settings
from runtime.webhooks import Courier

_JOB_CONNECTIONS = 4


async def serve() -> None:
    """Work until told to stop."""
    async with process("worker", read_settings()) as (container, stop):
        await asyncio.gather(work(container, stop), look_after(container, stop))


async def work(container: Container, stop: asyncio.Event) -> None:
    """Jobs, the relay and webhooks."""
    async with asyncio.TaskGroup() as group:
        group.create_task(keep("jobs", lambda: _work_on_jobs(container, stop), stop))
        group.create_task(run_relay(container.sessions, stop))
        group.create_task(Courier(container.sessions, make_egress(container.settings.egress)).run(stop))


async def _work_on_jobs(container: Container, stop: asyncio.Event) -> None:
    """Jobs, over connections of their own. Raises what the queue raises when the database goes away."""
    pool = asyncpg.create_pool(container.servers.database_url, min_size=1, max_size=_JOB_CONNECTIONS)
    try:
        await pool
        await run_jobs(pool, container.sessions, discover_jobs(), stop)
        await pool.close()
    finally:
        # The queue may have left a broken connection behind, for which an orderly end would wait for ever.
        pool.terminate()


async def look_after(container: Container, stop: asyncio.Event) -> None:
    """Updates, timers and replies that are overdue."""
    async with open_conversing(container) as conversing:
        await sweep(conversing, stop)
