"""A connection pool that says how long somebody waited for it, and asks only rested connections whether they live."""

import socket
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


KEEPALIVE = {"idle": 30, "interval": 10, "count": 3}
"""Seconds of silence before the other machine is asked whether it is there, between two questions, and how many."""


def server_keepalives() -> dict[str, str]:
    """What makes the server notice within a minute that our machine is gone, and free the locks that it held."""
    return {f"tcp_keepalives_{name}": str(value) for name, value in KEEPALIVE.items()}


def notice_silence(engine: AsyncEngine) -> None:
    """Ours as well: a server that vanished without a word would be waited for as long as the kernel is patient."""

    def connected(connection: Any, _: ConnectionPoolEntry) -> None:
        transport = connection.driver_connection._transport  # noqa: SLF001 - asyncpg offers no other way to its socket
        found = transport.get_extra_info("socket")
        if found is None or found.family not in {socket.AF_INET, socket.AF_INET6}:
            return
        found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in (
            ("TCP_KEEPIDLE", KEEPALIVE["idle"]),
            ("TCP_KEEPINTVL", KEEPALIVE["interval"]),
            ("TCP_KEEPCNT", KEEPALIVE["count"]),
        ):
            if hasattr(socket, option):  # not everywhere under this name
                found.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)

    event.listen(engine.sync_engine, "connect", connected)


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
