"""Loops that look for work again and again until they are told to stop."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from crm.db.away import is_away

_AFTER_ERROR_SECONDS = 2.0
log = structlog.get_logger(__name__)


async def wait(stop: asyncio.Event, seconds: float) -> None:
    """Rest for a while, or until `stop`."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return


async def repeat(name: str, work: Callable[[], Awaitable[int | bool]], stop: asyncio.Event, *, rest: float) -> None:
    """Call `work` until `stop`: at once again while it finds something, after `rest` seconds otherwise."""
    while not stop.is_set():
        try:
            pause = 0.0 if await work() else rest
        except Exception as error:  # noqa: BLE001 - told, and tried again
            tell(error, name)
            pause = max(rest, _AFTER_ERROR_SECONDS)
        if pause:
            await wait(stop, pause)


async def keep(name: str, work: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
    """Run `work`, which goes on until `stop` by itself; begin it anew, after a rest, when it fails before."""
    while not stop.is_set():
        try:
            await work()
        except Exception as error:  # noqa: BLE001 - told, and tried again
            tell(error, name)
        await wait(stop, _AFTER_ERROR_SECONDS)


async def outlast(name: str, work: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
    """Do `work` once, before `stop`; begin it anew while the database goes away. Raises every other error."""
    while not stop.is_set():
        try:
            await work()
        except Exception as error:
            if not is_away(error):
                raise
            tell(error, name)
        else:
            return
        await wait(stop, _AFTER_ERROR_SECONDS)


def tell(error: Exception, name: str) -> None:
    """Log what stopped a loop: in one line while the database is away, for a loop says so every few seconds."""
    if is_away(error):
        log.warning("loop_waits_for_database", loop=name, error=type(error).__name__)
    else:
        log.error("loop_failed", loop=name, exc_info=error)
