"""Savepoints by the driver alone, and doing without them where the whole transaction can be done again.

Every step of a conversation has one, and hardly any step fails: two of the seven exchanges of a check-in were for
nothing. Who can repeat all of it tries `without_savepoints` first, and once more with them when `SavepointsNeeded`.
"""

from types import TracebackType

from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import joint
from crm.db.prepared import command

_WITHOUT = "siyu_without_savepoints"


class SavepointsNeeded(Exception):
    """A block failed that had no savepoint: roll back all, and do it again with savepoints."""


def without_savepoints(session: AsyncSession) -> None:
    """Set none in this session: an error in a block becomes SavepointsNeeded, which nobody inside may catch."""
    session.info[_WITHOUT] = True


class savepoint:  # noqa: N801 - used like a function
    """`async with savepoint(session)`: what the block wrote is undone when an error leaves it; the rest stays.

    The session forgets its ORM objects then, so none may be held across the block.
    """

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._is_set = _WITHOUT not in session.info
        self._noted = joint.noted(session)

    async def __aenter__(self) -> None:
        """Set it."""
        if self._is_set:
            await command(self._session, "SAVEPOINT siyu_step")

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Release it, or go back to it."""
        if error is None:
            try:
                if self._session.in_transaction():
                    await self._session.flush()
            except Exception as refused:
                await self._undo(refused)
                raise
            if self._is_set:
                await command(self._session, "RELEASE SAVEPOINT siyu_step")
        elif isinstance(error, Exception):
            await self._undo(error)

    async def _undo(self, error: Exception) -> None:
        if not self._is_set:
            raise SavepointsNeeded from error
        self._session.expunge_all()
        joint.forget(self._session, self._noted)
        await command(self._session, "ROLLBACK TO SAVEPOINT siyu_step; RELEASE SAVEPOINT siyu_step")
