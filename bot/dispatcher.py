"""Handles stored updates and what is due in conversations: per chat in order, one transaction each, in any process."""

import asyncio
from contextlib import suppress
from datetime import timedelta

import structlog

from bot.handling import Handled, Handler
from crm.conversations import wakes
from crm.conversations.types import Wake
from crm.db.session import Sessions
from crm.inbox import service as inbox

TIME_LIMIT_SECONDS = 30.0
LEFT_BEHIND = timedelta(seconds=3)
Chat = tuple[int, str]
log = structlog.get_logger(__name__)


class Dispatcher:
    """Wakes chats, at most `concurrency` at a time; what a crash left is swept up."""

    def __init__(
        self, sessions: Sessions, handler: Handler, *, concurrency: int = 32, time_limit: float = TIME_LIMIT_SECONDS
    ) -> None:
        self._sessions = sessions
        self._handler = handler
        self._slots = asyncio.Semaphore(concurrency)
        self._time_limit = time_limit
        self._active: dict[Chat, asyncio.Task[None]] = {}
        self._again: set[Chat] = set()
        self._later: dict[Chat, asyncio.TimerHandle] = {}
        self._is_closing = False

    def wake(self, bot_id: int, chat_key: str) -> None:
        """Handle what waits in this chat, at once and in the background."""
        chat = (bot_id, chat_key)
        if self._is_closing:
            return
        if chat in self._active:
            self._again.add(chat)
        else:
            self._active[chat] = asyncio.create_task(self._work(chat), name=f"chat-{bot_id}")

    async def sweep(self, *, older_than: timedelta = LEFT_BEHIND) -> int:
        """Handle updates that wait for longer than they should; answers in how many chats."""
        async with self._sessions() as session:
            waiting = await inbox.waiting(session, older_than=older_than)
        served = [chat for chat in waiting if await self._handler.serves(chat.bot_id)]
        for chat in served:
            self.wake(chat.bot_id, chat.chat_key)
        active = [self._active.get((chat.bot_id, chat.chat_key)) for chat in served]
        await self._all([task for task in active if task is not None])
        await self._handler.settle()
        return len(served)

    async def wake_due(self, *, limit: int = 100) -> int:
        """Handle timers that are due and results of jobs; answers how many."""
        async with self._sessions() as session:
            due = await wakes.due(session, limit=limit)
        served = [wake for wake in due if await self._handler.serves(wake.bot_id)]
        for wake in served:
            await self._guarded_wake(wake)
        await self._handler.settle()
        return len(served)

    async def drain(self) -> None:
        """Wait until everything that was woken is handled, and its replies were tried."""
        while self._active:
            await self._all(list(self._active.values()))
        await self._handler.settle()

    def stop(self) -> None:
        """Take nothing new: what is being handled is finished, the rest is left to the next process."""
        self._is_closing = True
        for timer in self._later.values():
            timer.cancel()

    async def close(self, *, patience: float = 20.0) -> None:
        """Stop, and wait for what is being handled."""
        self.stop()
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await self.drain()
        for task in list(self._active.values()):
            task.cancel()

    async def _work(self, chat: Chat) -> None:
        try:
            while True:
                self._again.discard(chat)
                await self._empty(chat)
                if chat not in self._again or self._is_closing:
                    break
        except Exception as error:  # noqa: BLE001 - the update is kept; the sweeper tries again
            log.warning("chat_left_to_sweeper", bot_id=chat[0], error=type(error).__name__)
        finally:
            self._active.pop(chat, None)
            self._again.discard(chat)

    async def _empty(self, chat: Chat) -> None:
        while not self._is_closing:
            async with self._slots:
                done = await self._next(chat)
            if done is None:
                return
            self._handler.deliver_soon(done.delivery_ids)
            if done.retry_after is not None and done.retry_after > 0:
                self._wake_later(chat, done.retry_after)
                return
            if not done.has_more:
                return

    async def _next(self, chat: Chat) -> Handled | None:
        return await self._handler.next_update(*chat, time_limit=self._time_limit)

    def _wake_later(self, chat: Chat, seconds: float) -> None:
        earlier = self._later.pop(chat, None)
        if earlier is not None:
            earlier.cancel()

        def fire() -> None:
            self._later.pop(chat, None)
            self.wake(*chat)

        self._later[chat] = asyncio.get_running_loop().call_later(seconds, fire)

    async def _guarded_wake(self, wake: Wake) -> None:
        async with self._slots:
            ids = await self._handler.due(wake, time_limit=self._time_limit)
        self._handler.deliver_soon(ids)

    async def _all(self, tasks: list[asyncio.Task[None]]) -> None:
        await asyncio.gather(*(asyncio.shield(task) for task in tasks), return_exceptions=True)
