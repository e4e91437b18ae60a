"""Telling deliveries what visitors saw, also when that comes before the delivery's own result is written."""

import asyncio
from contextlib import suppress
from uuid import UUID

from crm.db.session import Sessions
from crm.deliveries import service as deliveries
from crm.members import service as members
from crm.webchat import service as webchat
from crm.webchat.types import Visitor

from .hub import DATABASE_AWAY

_AGAIN_AFTER = (1.0, 5.0, 15.0)


class Receipts:
    """The receipts of one connection."""

    def __init__(self, sessions: Sessions, visitor: Visitor) -> None:
        self._sessions = sessions
        self._visitor = visitor
        self._retry: asyncio.Task[None] | None = None

    async def seen(self, message_id: UUID) -> None:
        """The visitor saw this message and those before it."""
        async with self._sessions.begin() as session:
            await webchat.mark_seen(session, self._visitor, message_id)
        await self.settle()

    async def settle(self) -> None:
        """Confirm what was seen; what deliveries does not know yet is tried a few times more in the background."""
        if await self._confirm() and (self._retry is None or self._retry.done()):
            self._retry = asyncio.create_task(self._try_again())

    def close(self) -> None:
        """The page is gone; what is open is confirmed when it comes back."""
        if self._retry is not None:
            self._retry.cancel()

    async def _try_again(self) -> None:
        for pause in _AGAIN_AFTER:
            await asyncio.sleep(pause)
            with suppress(*DATABASE_AWAY):
                if not await self._confirm():
                    return

    async def _confirm(self) -> int:
        """Confirm each seen message by itself; how many deliveries did not know."""
        visitor = self._visitor
        async with self._sessions.begin() as session:
            waiting = await webchat.unconfirmed(session, visitor)
            if not waiting:
                return 0
            contact = await members.find_contact(session, visitor.bot_id, visitor.address)
            if contact is None:
                return 0
            known = [one for one in waiting if await deliveries.confirm(session, contact.identity.id, [str(one)])]
            await webchat.mark_confirmed(session, visitor, known)
        return len(waiting) - len(known)
