"""Waiting for what another process will do."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tests.acceptance.processes import PATIENCE

T = TypeVar("T")
_REST = 0.1


async def until(ask: Callable[[], Awaitable[T]], is_so: Callable[[T], bool]) -> T:
    """Ask again until the answer is as wanted, and return it. Raises TimeoutError."""
    async with asyncio.timeout(PATIENCE):
        while True:
            answer = await ask()
            if is_so(answer):
                return answer
            await asyncio.sleep(_REST)
