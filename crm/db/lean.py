"""Transactions begun and committed by the driver, which an ORM session joins only when a statement needs it.

A session's own way in and out of a transaction costs more processor time than ten statements of the driver: a
greenlet for each of begin, commit and close, their state machines, and a statement to begin with. What runs prepared
statements alone pays none of it: half the time of a check-in. Everything else notices no difference.
"""

import asyncio
from typing import Any

import asyncpg
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker
from sqlalchemy.util import greenlet_spawn

from crm.db.told import DRIVER_ERRORS, as_usual

_LEAN = "siyu_lean"


class LeanSessions(async_sessionmaker[AsyncSession]):
    """The usual factory; `begin` takes a connection when the first statement is run, in whichever way."""

    def begin(self) -> "LeanTransaction":  # type: ignore[override] # the same use: async with .. as session
        """`async with sessions.begin() as session`: commits at the end, rolls back after an error."""
        return LeanTransaction(self())


class LeanTransaction:
    """One transaction of one session."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._connection: Connection | None = None

    async def __aenter__(self) -> AsyncSession:
        """The session, still without a connection."""
        self._session.info[_LEAN] = self
        return self._session

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        """Commit or roll back, and give the connection back, also when the task is cancelled meanwhile."""
        if self._session.in_transaction():
            if self._connection is not None and isinstance(error, asyncio.CancelledError):
                self._connection.invalidate()
            await asyncio.shield(asyncio.ensure_future(self._end_usual(is_good=error is None)))
        elif self._connection is not None:
            await (self._commit() if error is None else self._undo(error))

    async def open(self) -> Any:
        """Take a connection, begin, and answer the driver's connection."""
        engine = self._session.bind
        assert isinstance(engine, AsyncEngine)
        self._connection = await greenlet_spawn(engine.sync_engine.connect)
        # Statements of the ORM find the connection here; that it is in a transaction already, `begin` has noted.
        self._session.sync_session.bind = self._connection
        return await begin(self._connection.connection)

    async def shared(self) -> Connection:
        """After `open`: the connection, for sessions that are bound to it and neither commit nor roll back."""
        assert self._connection is not None
        await greenlet_spawn(self._connection.begin)  # the dialect was told, so nothing is sent
        return self._connection

    async def _commit(self) -> None:
        connection = self._taken()
        try:
            await _commit(connection.connection)
        except BaseException:
            # Cut off or refused: nobody knows what the connection is in, so nobody is to get it.
            connection.invalidate()
            raise
        finally:
            _release(connection)

    async def _undo(self, error: BaseException) -> None:
        connection = self._taken()
        try:
            if isinstance(error, asyncio.CancelledError):
                # A statement may have been cut off in the middle, BEGIN too.
                connection.invalidate()
            else:
                await greenlet_spawn(_roll_back, connection)
        except BaseException:
            connection.invalidate()
            raise
        finally:
            _release(connection)

    async def _end_usual(self, *, is_good: bool) -> None:
        try:
            await (self._session.commit() if is_good else self._session.rollback())
        except BaseException:
            is_good = False
            raise
        finally:
            await self._session.close()
            if self._connection is not None:
                connection = self._taken()
                if not is_good:
                    await greenlet_spawn(_roll_back, connection)
                _release(connection)

    def _taken(self) -> Connection:
        connection, self._connection = self._connection, None
        assert connection is not None
        return connection


def lean_of(session: AsyncSession) -> LeanTransaction | None:
    """What a driver's connection can be had from; None when the session took its own way, or has to."""
    found = session.info.get(_LEAN)
    return found if isinstance(found, LeanTransaction) and not session.in_transaction() else None


async def begin(pooled: Any) -> Any:
    """Begin a transaction on a pooled connection unless it is in one; answers the driver's connection.

    The dialect is told: it would otherwise begin another one with its first statement.
    """
    driver = pooled.driver_connection
    if driver is None or driver.is_closed():
        raise as_usual("BEGIN", asyncpg.InterfaceError("the connection is gone"))
    try:
        if not driver.is_in_transaction():
            transaction = driver.transaction()
            await transaction.start()
            pooled.dbapi_connection._transaction = transaction  # noqa: SLF001 - the dialect has no other way
    except DRIVER_ERRORS as error:
        raise as_usual("BEGIN", error) from error
    return driver


async def _commit(pooled: Any) -> None:
    adapter = pooled.dbapi_connection
    transaction, adapter._transaction = adapter._transaction, None  # noqa: SLF001 - see `begin`
    driver = pooled.driver_connection
    if transaction is None or driver is None:
        raise as_usual("COMMIT", asyncpg.InterfaceError("the connection is gone"))
    try:
        done = await driver.execute("COMMIT")
    except DRIVER_ERRORS as error:
        raise as_usual("COMMIT", error) from error
    finally:
        driver._top_xact = None  # noqa: SLF001 - the driver's own commit would not tell what came of it
    if done != "COMMIT":
        # The server answers so, without an error, when a statement had failed and somebody went on as if it had not.
        message = "a statement failed before, so all was rolled back"
        raise as_usual("COMMIT", asyncpg.InFailedSQLTransactionError(message))


def _release(connection: Connection) -> None:
    """Give it back to the pool; never one that is still in a transaction, whose next user would commit nothing."""
    if not connection.invalidated:
        driver = connection.connection.driver_connection
        if driver is None or driver.is_closed() or driver.is_in_transaction():
            connection.invalidate()
    connection.close()


def _roll_back(connection: Connection) -> None:
    """By the usual way, which knows what to do about the pool when the server is gone."""
    if connection.invalidated:
        return
    driver = connection.connection.driver_connection
    if driver is not None and not driver.is_closed():
        (connection.get_transaction() or connection.begin()).rollback()
