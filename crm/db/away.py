"""Telling a database that cannot be reached or has no time now from a mistake of ours."""

import asyncpg
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

_LOST = (
    OSError,
    TimeoutError,
    PoolTimeoutError,
    OperationalError,
    InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InterfaceError,
)

_PASSING = {"40", "53", "55", "57"}
"""Classes of SQLSTATE: rollback (deadlock), resources, locks, intervention."""


def is_passing(error: BaseException) -> bool:
    """Whether the same may well succeed when it is done again: the database was busy, or undid one of two that met."""
    state = getattr(getattr(error, "orig", None), "sqlstate", None) or ""
    return state[:2] in _PASSING


def is_away(error: BaseException) -> bool:
    """Whether `error` says that the database, or a connection to it, is gone or has no room; it may come back."""
    if isinstance(error, BaseExceptionGroup):
        return all(is_away(one) for one in error.exceptions)
    if isinstance(error, _LOST):
        return True
    if not isinstance(error, DBAPIError):
        return False
    cause = error.orig.__cause__ if error.orig is not None else None
    return error.connection_invalidated or isinstance(cause, _LOST)
