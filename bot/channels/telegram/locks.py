"""One poller per bot: advisory locks that PostgreSQL frees when this process's own connection ends."""

import asyncpg
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from crm.db.session import Sessions

_LOCK = text("SELECT pg_try_advisory_lock(hashtextextended('siyu.telegram.poller', :bot_id))")
_UNLOCK = text("SELECT pg_advisory_unlock(hashtextextended('siyu.telegram.poller', :bot_id))")
_ALIVE = text("SELECT 1")


class PollerLocks:
    """Locks held on one connection that is taken out of the pool."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._session: AsyncSession | None = None
        self._connection: AsyncConnection | None = None

    async def take(self, bot_id: int) -> bool:
        """Take the bot's lock if no other process has it. Raises when the database is away."""
        connection = await self._open()
        return bool((await connection.execute(_LOCK, {"bot_id": bot_id})).scalar_one())

    async def free(self, bot_id: int) -> None:
        """Let go of the bot's lock."""
        if self._connection is not None:
            await self._connection.execute(_UNLOCK, {"bot_id": bot_id})

    async def are_held(self) -> bool:
        """Whether the connection, and with it every lock, still lives."""
        try:
            if self._connection is not None:
                await self._connection.execute(_ALIVE)
        except (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
            return False
        return True

    async def close(self) -> None:
        """Free all locks."""
        session, self._session, self._connection = self._session, None, None
        if session is not None:
            try:
                await session.close()
            except (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
                return

    async def _open(self) -> AsyncConnection:
        if self._connection is None:
            self._session = self._sessions()
            connection = await self._session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
            # Back in the pool it would keep its locks and give them to whoever borrows it next.
            await connection.run_sync(lambda inner: inner.detach())
            self._connection = connection
        return self._connection
