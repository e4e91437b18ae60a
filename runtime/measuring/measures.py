"""All figures of one process, put together, and its signs of life."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import structlog
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from redis.asyncio import Redis
from sqlalchemy.exc import SQLAlchemyError

from crm.alerts import beats
from crm.db.session import Sessions
from crm.deliveries.rates import ValkeyPacer
from crm.kit.clock import process_now
from crm.kit.ids import uuid7
from runtime.loops import wait
from runtime.measuring.counters import ProcessFigures
from runtime.measuring.lag import watch_loop
from runtime.measuring.state import StateFigures

_OUTSIDE = (SQLAlchemyError, OSError, TimeoutError)
_LEAVING = 2.0
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Measures:
    """The registry that /metrics shows, and who writes into it."""

    registry: CollectorRegistry
    process: ProcessFigures
    state: StateFigures


def make_measures(sessions: Sessions, interactive: Sessions, valkey: Redis) -> Measures:
    """Figures over a process's pools, database and Valkey."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    process = ProcessFigures(registry)
    process.watch_pool("bulk", sessions)
    process.watch_pool("interactive", interactive)
    return Measures(registry, process, StateFigures(registry, sessions, ValkeyPacer(valkey)))


@asynccontextmanager
async def living(measures: Measures, sessions: Sessions, roles: Sequence[str]) -> AsyncIterator[None]:
    """While the block runs, give signs of life in these roles, notice silent ones, and measure the event loop."""
    stop = asyncio.Event()
    tasks = [
        asyncio.create_task(_beat(sessions, roles, stop)),
        asyncio.create_task(watch_loop(measures.process.loop_lag, stop)),
    ]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _beat(sessions: Sessions, roles: Sequence[str], stop: asyncio.Event) -> None:
    instance = uuid7(process_now())
    while not stop.is_set():
        try:
            async with sessions.begin() as session:
                await beats.beat(session, instance, roles)
                await beats.judge(session)
        except _OUTSIDE as error:
            log.warning("no_sign_of_life", error=type(error).__name__)
        await wait(stop, beats.BEAT_SECONDS)
    with suppress(*_OUTSIDE):
        async with asyncio.timeout(_LEAVING), sessions.begin() as session:
            await beats.leave(session, instance)
