"""A connection pool that says how long somebody waited for it, and asks only rested connections whether they live."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry, PoolProxiedConnection

from crm.kit.clock import monotonic

Observe = Callable[[float, bool], None]
"""Takes the seconds waited, and whether a connection was had in the end."""


def _nothing(_: float, __: bool) -> None:
    """Nobody measures."""


TRUSTED_SECONDS = 1.0
"""How long after its last use a connection is taken to be alive: asking each time cost every update two round trips."""
_USED_AT = "siyu_used_at"


def ping_rested(engine: AsyncEngine) -> None:
    """Ask a connection that rested for longer whether it is alive; when it is not, all are taken anew."""
    dialect = engine.sync_engine.dialect

    def returned(_: Any, record: ConnectionPoolEntry) -> None:
        record.info[_USED_AT] = monotonic()

    def taken(connection: Any, record: ConnectionPoolEntry, _: Any) -> None:
        used_at = record.info.get(_USED_AT)
        if used_at is None or monotonic() - used_at < TRUSTED_SECONDS:
            return
        try:
            dialect.do_ping(connection)
        except dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error

    event.listen(engine.sync_engine, "checkin", returned)
    event.listen(engine.sync_engine, "checkout", taken)


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
