"""`siyu worker`: queued jobs, the relay of events, webhooks, and what other processes left."""

import asyncio

import asyncpg

from runtime.container import Container
from runtime.conversing import open_conversing, sweep
from runtime.egress import make_egress
from runtime.jobs import discover_jobs, run_jobs
from runtime.processes.frame import process
from runtime.relay import run_relay
from runtime.webhooks import Courier

_JOB_CONNECTIONS = 4


async def serve() -> None:
    """Work until told to stop."""
    async with process("worker") as (container, stop):
        await asyncio.gather(work(container, stop), look_after(container, stop))


async def work(container: Container, stop: asyncio.Event) -> None:
    """Jobs, the relay and webhooks."""
    url = container.servers.database_url
    async with asyncpg.create_pool(url, min_size=1, max_size=_JOB_CONNECTIONS) as pool, asyncio.TaskGroup() as group:
        group.create_task(run_jobs(pool, container.sessions, discover_jobs(), stop))
        group.create_task(run_relay(container.sessions, stop))
        group.create_task(Courier(container.sessions, make_egress(container.settings.egress)).run(stop))


async def look_after(container: Container, stop: asyncio.Event) -> None:
    """Updates, timers and replies that are overdue."""
    async with open_conversing(container) as conversing:
        await sweep(conversing, stop)
