"""The relay of events as a loop: several hands, a short rest when there is nothing to do."""

import asyncio

import structlog

from crm.db.session import Sessions
from crm.events.relay import relay_once

_REST_SECONDS = 0.25
_AFTER_ERROR_SECONDS = 2.0
log = structlog.get_logger(__name__)


async def run_relay(sessions: Sessions, stop: asyncio.Event, *, hands: int = 2) -> None:
    """Hand recorded events to their subscribers until `stop`."""
    async with asyncio.TaskGroup() as group:
        for _ in range(hands):
            group.create_task(_hand(sessions, stop))


async def _hand(sessions: Sessions, stop: asyncio.Event) -> None:
    while not stop.is_set():
        try:
            rest = 0.0 if await relay_once(sessions) else _REST_SECONDS
        except Exception:
            log.exception("relay_failed")
            rest = _AFTER_ERROR_SECONDS
        if rest:
            await _wait(stop, rest)


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
