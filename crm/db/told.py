"""The driver's errors told as those of a session, so that callers know one kind."""

from collections.abc import Sequence

import asyncpg
from sqlalchemy.exc import DatabaseError, DataError, DBAPIError, IntegrityError, OperationalError

_KINDS: Sequence[tuple[type[Exception] | tuple[type[Exception], ...], type[DBAPIError]]] = (
    (asyncpg.IntegrityConstraintViolationError, IntegrityError),
    ((asyncpg.DataError, ValueError), DataError),
    ((asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError), OperationalError),
    ((asyncpg.InsufficientResourcesError, asyncpg.InterfaceError), OperationalError),
    (Exception, DatabaseError),
)


DRIVER_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError)
"""What the driver raises; a context manager around each statement took longer than some statements."""


def as_usual(statement: str, error: Exception) -> DBAPIError:
    """What a session raises for one of `DRIVER_ERRORS`; to be raised from it."""
    kind = next(usual for known, usual in _KINDS if isinstance(error, known))
    is_lost = kind is OperationalError and not isinstance(error, asyncpg.InsufficientResourcesError)
    return kind(statement, None, error, hide_parameters=True, connection_invalidated=is_lost)
