"""Where receivers hand over what came in: stored and committed first, handled right after.

Updates that arrive while others are being stored wait for one another and share a statement and a commit: with
sixteen at once that is a tenth of the round trips. A single update waits for nobody.
"""

import asyncio
from collections.abc import Sequence

import structlog

from bot.dispatcher import Dispatcher
from crm.db.away import is_away
from crm.db.session import Sessions
from crm.inbox import service as inbox
from crm.inbox.types import NewUpdate

MOST_TOGETHER = 64
_PATIENCE = 10.0
"""Seconds for storing a batch: were one to hang for ever, so would all that come after it."""
Waiting = tuple[NewUpdate, asyncio.Future[bool]]
log = structlog.get_logger(__name__)


class Intake:
    """Stores raw updates and wakes the dispatcher."""

    def __init__(self, sessions: Sessions, dispatcher: Dispatcher) -> None:
        self._sessions = sessions
        self._dispatcher = dispatcher
        self._waiting: list[Waiting] = []
        self._storing: asyncio.Task[None] | None = None

    async def __call__(self, *, bot_id: int, update_key: str, chat_key: str, payload: bytes) -> bool:
        """Store the update, committed when this returns; then acknowledge it. False: it was here before."""
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((NewUpdate(bot_id, update_key, chat_key, payload), done))
        if self._storing is None:
            self._storing = asyncio.create_task(self._store_all(), name="intake")
        return await done

    async def _store_all(self) -> None:
        try:
            while self._waiting:
                batch = self._waiting[:MOST_TOGETHER]
                del self._waiting[:MOST_TOGETHER]
                # Whoever has given up waiting brings it again.
                await self._store_together([item for item in batch if not item[1].done()])
        finally:
            self._storing = None

    async def _store_together(self, batch: Sequence[Waiting]) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._store(batch)
        except Exception as error:  # noqa: BLE001 - whoever handed it in is told, and must not be told of others
            if len(batch) == 1 or is_away(error):
                for item in batch:
                    _fail(item, error)
                return
            log.warning("updates_stored_one_by_one", error=type(error).__name__)
            for item in batch:
                await self._store_together([item])

    async def _store(self, batch: Sequence[Waiting]) -> None:
        async with self._sessions.begin() as session:
            stored = await inbox.store_many(session, [update for update, _ in batch])
        for (update, done), found in zip(batch, stored, strict=True):
            if found is not None:
                self._dispatcher.wake(update.bot_id, update.chat_key)
            if not done.done():
                done.set_result(found is not None)


def _fail(item: Waiting, error: Exception) -> None:
    if not item[1].done():
        item[1].set_exception(error)
