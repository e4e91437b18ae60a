"""A connection pool that says how long somebody waited for a connection."""

from collections.abc import Callable
from typing import Any

from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import AsyncAdaptedQueuePool, PoolProxiedConnection

from crm.kit.clock import monotonic

Observe = Callable[[float, bool], None]
"""Takes the seconds waited, and whether a connection was had in the end."""


def _nothing(_: float, __: bool) -> None:
    """Nobody measures."""


class TimedPool(AsyncAdaptedQueuePool):
    """The usual queue of connections; `observe` is set by whoever measures."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.observe: Observe = _nothing
        super().__init__(*arguments, **options)

    def connect(self) -> PoolProxiedConnection:
        """A connection from the pool. Raises sqlalchemy.exc.TimeoutError when none became free in time."""
        started = monotonic()
        try:
            taken = super().connect()
        except PoolTimeoutError:
            self.observe(monotonic() - started, False)
            raise
        self.observe(monotonic() - started, True)
        return taken
