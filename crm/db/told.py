"""The driver's errors told as those of a session, so that callers know one kind."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import asyncpg
from sqlalchemy.exc import DatabaseError, DataError, DBAPIError, IntegrityError, OperationalError

_KINDS: Sequence[tuple[type[Exception] | tuple[type[Exception], ...], type[DBAPIError]]] = (
    (asyncpg.IntegrityConstraintViolationError, IntegrityError),
    ((asyncpg.DataError, ValueError), DataError),
    ((asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError), OperationalError),
    ((asyncpg.InsufficientResourcesError, asyncpg.InterfaceError), OperationalError),
    (Exception, DatabaseError),
)


@contextmanager
def told_as_usual(statement: str) -> Iterator[None]:
    """Raise what the driver raises inside as the error that a session raises for it."""
    try:
        yield
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise as_usual(statement, error) from error


def as_usual(statement: str, error: Exception) -> DBAPIError:
    """The session's error for one of the driver."""
    kind = next(usual for known, usual in _KINDS if isinstance(error, known))
    is_lost = kind is OperationalError and not isinstance(error, asyncpg.InsufficientResourcesError)
    return kind(statement, None, error, hide_parameters=True, connection_invalidated=is_lost)
