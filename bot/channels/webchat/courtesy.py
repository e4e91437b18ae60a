"""Asking Valkey for what is only a convenience: briefly, and not again for a while once it does not answer."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from crm.kit.clock import monotonic

T = TypeVar("T")
_PATIENCE = 0.5
_LEFT_ALONE = 2.0
log = structlog.get_logger(__name__)


class Courtesy:
    """One per process; a visitor never waits for Valkey for longer than half a second."""

    def __init__(self, valkey: Redis) -> None:
        self.valkey = valkey
        self._away_until = 0.0

    async def ask(self, work: Callable[[Redis], Awaitable[T]]) -> T | None:
        """What `work` answers; None while Valkey is away."""
        if monotonic() < self._away_until:
            return None
        try:
            async with asyncio.timeout(_PATIENCE):
                return await work(self.valkey)
        except (RedisError, OSError, TimeoutError) as error:
            self._away_until = monotonic() + _LEFT_ALONE
            log.debug("valkey_away", error=type(error).__name__)
            return None
