"""Loops that look for work again and again until they are told to stop."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

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
        except Exception:
            log.exception("loop_failed", loop=name)
            pause = max(rest, _AFTER_ERROR_SECONDS)
        if pause:
            await wait(stop, pause)
