"""Serves every Telegram bot that has no webhook: one fetcher per bot, in one process at a time."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass

import structlog

from bot.channels.contract import ChannelContext, Intake
from crm.bots import service as bots
from crm.brand import service as brands
from crm.config.settings import TelegramMode

from .access import DATABASE_AWAY, Access, readable_access, server_of
from .fetching import Fetcher, Pace
from .locks import PollerLocks
from .manifest import NAME
from .profile import Calls, appearance, by_polling
from .transport import BotApi

log = structlog.get_logger(__name__)
LOOK_SECONDS = 5.0


@dataclass(frozen=True)
class Served:
    """A bot that this process fetches for."""

    access: Access
    task: "asyncio.Task[None]"


class Poller:
    """Looks every few seconds which bots there are, and keeps one fetcher for each that no other process serves."""

    def __init__(
        self, context: ChannelContext, intake: Intake, *, look_seconds: float = LOOK_SECONDS, pace: Pace | None = None
    ) -> None:
        self._context = context
        self._intake = intake
        self._look_seconds = look_seconds
        self._pace = pace
        self._api = BotApi()
        self._locks = PollerLocks(context.sessions)
        self._served: dict[int, Served] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop`; every lock is free and every connection closed when this returns."""
        try:
            while not stop.is_set():
                try:
                    await self._look()
                except DATABASE_AWAY as error:
                    log.warning("poller_database_away", error=type(error).__name__)
                    await self._let_go_of_all()
                with suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), self._look_seconds)
        finally:
            await self._let_go_of_all()
            await self._api.close()

    async def _look(self) -> None:
        if not await self._locks.are_held():
            # Another process may have taken over already.
            log.warning("poller_locks_lost")
            await self._let_go_of_all()
        wanted, preparing = await self._wanted()
        for bot_id in [bot_id for bot_id, served in self._served.items() if self._is_over(served, wanted.get(bot_id))]:
            await self._let_go(bot_id)
        for bot_id, access in wanted.items():
            if bot_id not in self._served and await self._locks.take(bot_id):
                self._serve(bot_id, access, preparing)

    async def _wanted(self) -> tuple[dict[int, Access], Calls]:
        """Accesses by bot, and what each bot's server is told before the first fetch."""
        async with self._context.sessions() as session:
            found = await bots.listing(session, NAME, active_only=True)
            polled = [bot for bot in found if bot.has_token and bot.mode != TelegramMode.WEBHOOK]
            server = server_of(self._context.settings)
            accesses = {bot.id: await readable_access(session, bot, server) for bot in polled}
            wanted = {bot_id: access for bot_id, access in accesses.items() if access is not None}
            return wanted, [*by_polling(), *appearance((await brands.get(session)).default_locale)]

    @staticmethod
    def _is_over(served: Served, access: Access | None) -> bool:
        return served.access != access or served.task.done()

    def _serve(self, bot_id: int, access: Access, preparing: Calls) -> None:
        fetcher = Fetcher(
            self._api, self._context.sessions, self._intake, bot_id=bot_id, access=access, pace=self._pace
        )
        self._served[bot_id] = Served(access, asyncio.create_task(fetcher.run(preparing), name=f"poll-{bot_id}"))
        log.info("polling", bot_id=bot_id)

    async def _let_go(self, bot_id: int) -> None:
        served = self._served.pop(bot_id)
        await _end(served.task, bot_id)
        await self._api.forget(served.access)
        await self._locks.free(bot_id)

    async def _let_go_of_all(self) -> None:
        served, self._served = self._served, {}
        await asyncio.gather(*(_end(item.task, bot_id) for bot_id, item in served.items()))
        await self._locks.close()


async def _end(task: "asyncio.Task[None]", bot_id: int) -> None:
    """Cancel a fetcher; what it had not committed stays at the server."""
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled() and task.exception() is not None:
        log.error("poller_failed", bot_id=bot_id, exc_info=task.exception())


async def poll(context: ChannelContext, stop: asyncio.Event) -> None:
    """Serve every bot of the channel that has no webhook, until `stop`."""
    if context.intake is None:
        raise ValueError("the poller needs an intake")
    await Poller(context, context.intake).run(stop)
