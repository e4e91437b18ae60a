"""Turns the most likely start-up failures into one clear sentence with the remedy."""

import asyncio
import errno
import os
import socket
import sys
from collections.abc import Coroutine
from typing import Any, NoReturn

import asyncpg
import uvloop
from redis.exceptions import RedisError
from sqlalchemy.exc import DBAPIError

from crm.db.session import DatabaseAddressError
from crm.kit.errors import DomainError
from runtime.backup.errors import BackupProblem
from runtime.embedded.errors import EmbeddedServerError
from runtime.secret import SecretProblem

_CONNECTING = {errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ETIMEDOUT}
_WRITING = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC}
_RED, _PLAIN = "\x1b[31m", "\x1b[0m"


class StartProblem(Exception):
    """Something that whoever started Siyu can mend; the message says how."""


def fail(text: str) -> NoReturn:
    """Say what is wrong on standard error and end with status 1."""
    is_colored = sys.stderr.isatty() and "NO_COLOR" not in os.environ
    sys.stderr.write(f"{_RED}{text}{_PLAIN}\n" if is_colored else f"{text}\n")
    raise SystemExit(1)


def run(work: Coroutine[Any, Any, int | None]) -> None:
    """Run `work` on uvloop; known failures end the process with one sentence, unknown ones with a traceback."""
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            status = runner.run(work)
    except KeyboardInterrupt:
        status = 130
    except BaseExceptionGroup as group:
        first: BaseException = group
        while isinstance(first, BaseExceptionGroup):
            first = first.exceptions[0]
        text = explain(first)
        if text is None:
            raise
        fail(text)
    except Exception as error:
        text = explain(error)
        if text is None:
            raise
        fail(text)
    sys.stdout.flush()
    raise SystemExit(status or 0)


_OWN = (StartProblem, BackupProblem, EmbeddedServerError, SecretProblem, DatabaseAddressError, DomainError)
_KNOWN: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    (
        (asyncpg.InvalidPasswordError, asyncpg.InvalidAuthorizationSpecificationError),
        "PostgreSQL refused the user or the password; check SIYU_DATABASE_URL.",
    ),
    (
        (asyncpg.InvalidCatalogNameError,),
        "The database does not exist yet; create it, or correct its name in SIYU_DATABASE_URL.",
    ),
    (
        (asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError),
        "PostgreSQL takes no connections now; wait a little, or raise its max_connections.",
    ),
    ((RedisError,), "Valkey cannot be reached; check SIYU_VALKEY_URL."),
    ((socket.gaierror,), "A server's host name is not known; check SIYU_DATABASE_URL and SIYU_VALKEY_URL."),
    (
        (ConnectionError, TimeoutError),
        "PostgreSQL or Valkey cannot be reached; start it, or check SIYU_DATABASE_URL and SIYU_VALKEY_URL.",
    ),
)


def explain(error: BaseException) -> str | None:
    """One sentence with the remedy for a known failure, None for an unknown one."""
    if isinstance(error, _OWN):
        return str(error)
    if isinstance(error, DBAPIError) and error.orig is not None and error.orig.__cause__ is not None:
        return explain(error.orig.__cause__)
    for kinds, text in _KNOWN:
        if isinstance(error, kinds):
            return text
    return _explain_os(error) if isinstance(error, OSError) else None


def _explain_os(error: OSError) -> str | None:
    if error.errno == errno.EADDRINUSE:
        return f"{error.filename or 'The port'} is taken by another program; choose another one with SIYU_HTTP_PORT."
    if error.errno in _CONNECTING:
        return _KNOWN[-1][1]
    if error.errno in _WRITING:
        return f"{error.filename or 'A file'} cannot be written ({error.strerror}); check SIYU_DATA_DIR."
    return None
