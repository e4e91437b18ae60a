"""A sign of life that ends with its process: a lock on one connection of its own, which PostgreSQL frees by itself.

What a process holds by lease names the owner; others take it over as soon as the owner's lock is free, instead of
waiting for the lease to run out.
"""

import secrets
from typing import Any

from sqlalchemy import ColumnElement, Integer, case, false, func, literal, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from crm.db.away import is_away
from crm.db.session import Sessions

_CLASS = 0x5159_000A
_MOST = 2**31 - 1
_HOLD = text("SELECT pg_try_advisory_lock(:class, :owner)")


class Liveness:
    """The owner's side. Its connection is taken out of the pool and taken anew when it was lost."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._session: AsyncSession | None = None
        self._driver: Any = None
        self._owner = 0

    async def owner(self) -> int:
        """The number under which this process holds leases; its lock is held. Raises when the database is away."""
        if self._driver is None or self._driver.is_closed():
            await self.close()
            await self._hold()
        return self._owner

    async def close(self) -> None:
        """Give the lock back: what is still leased under it is free."""
        session, self._session, self._driver = self._session, None, None
        if session is not None:
            try:
                await session.close()
            except Exception as error:
                if not is_away(error):
                    raise

    async def _hold(self) -> None:
        session = self._sessions()
        connection = await session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
        driver = (await connection.get_raw_connection()).driver_connection
        # Back in the pool it would keep the lock of a process that may be gone by then.
        await connection.run_sync(lambda inner: inner.detach())
        self._session, self._driver = session, driver
        is_held = False
        while not is_held:
            self._owner = 1 + secrets.randbelow(_MOST)
            found = await connection.execute(_HOLD, {"class": _CLASS, "owner": self._owner})
            is_held = bool(found.scalar_one())


def is_gone(owner: InstrumentedAttribute[int | None], is_leased: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether the owner of a running lease is gone: its lock could be shared. Others wait for the lease to run out."""
    free = func.pg_try_advisory_xact_lock_shared(literal(_CLASS, Integer), owner)
    return case((is_leased & owner.is_not(None), free), else_=false())
