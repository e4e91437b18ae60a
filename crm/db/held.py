"""One connection kept for a longer piece of work, for sessions and for statements that are repeated very often."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession

from crm.db.session import Sessions


class HeldConnection:
    """Taken from the pool when it is first used; thrown away after any error, and then taken anew.

    For one task alone: it does one thing at a time.
    """

    def __init__(self, sessions: Sessions) -> None:
        engine = sessions.kw["bind"]
        assert isinstance(engine, AsyncEngine)
        self._engine = engine
        self._sessions = sessions
        self._connection: AsyncConnection | None = None
        self._driver: Any = None

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncSession]:
        """A session in a transaction of its own, like `Sessions.begin`."""
        connection = await self._open()
        try:
            async with self._sessions(bind=connection) as session, session.begin():
                yield session
        except BaseException:
            await self._throw_away()
            raise

    async def row(self, statement: str, *values: Any) -> Any:
        """Run one prepared statement ($1 ..) as a transaction of its own, by the driver alone; its first row or None.

        An ORM session costs a group of sends more than sending it does. Raises what the driver raises.
        """
        await self._open()
        try:
            return await self._driver.fetchrow(statement, *values)
        except BaseException:
            await self._throw_away()
            raise

    async def close(self) -> None:
        """Give the connection back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await asyncio.shield(connection.close())

    async def _open(self) -> AsyncConnection:
        if self._connection is None:
            connection = await self._engine.connect()
            self._driver = (await connection.get_raw_connection()).driver_connection
            self._connection = connection
        return self._connection

    async def _throw_away(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await asyncio.shield(_discard(connection))


async def _discard(connection: AsyncConnection) -> None:
    await connection.invalidate()
    await connection.close()
