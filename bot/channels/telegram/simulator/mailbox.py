"""A bot's waiting updates: kept in order until confirmed or expired, polled or pushed."""

import asyncio
import itertools
from dataclasses import dataclass, field
from typing import Any

from .errors import conflict
from .json_types import Json
from .store import Store
from .world.bots import Bot
from .world.world import World

_OTHER_POLLER = "terminated by other getUpdates request; make sure that only one bot instance is running"


@dataclass(slots=True)
class Update:
    """One update; those of the same queue are pushed strictly one after the other."""

    update_id: int
    queue: str
    expires_at: float
    body: Json


@dataclass
class Mailbox:
    """The waiting updates of one bot."""

    bot: Bot
    world: World
    waiting: dict[int, Update] = field(default_factory=dict)
    _arrival: asyncio.Event = field(default_factory=asyncio.Event)
    _poller: "asyncio.Future[None] | None" = None

    @property
    def _store(self) -> Store:
        return self.world.store

    def load(self) -> None:
        """Bring the waiting updates back from the store."""
        for key, body in self._store.load("update"):
            if key.startswith(f"{self.bot.id}/"):
                update = Update(**body)
                self.waiting[update.update_id] = update
                self.bot.next_update_id = max(self.bot.next_update_id, update.update_id + 1)

    def add(self, kind: str, payload: Json, queue: str, *, expires_in: float) -> Update | None:
        """Keep an update for the bot unless it does not want this kind."""
        if not self.bot.wants(kind):
            return None
        update_id = self.bot.next_update_id
        self.bot.next_update_id += 1
        update = Update(
            update_id,
            queue,
            self.world.config.clock() + expires_in,
            {"update_id": update_id, kind: payload},
        )
        self.waiting[update_id] = update
        self.world.keep_bot(self.bot)
        self._store.put("update", self._key(update_id), update)
        self._arrival.set()
        return update

    def drop(self, update_id: int) -> None:
        """Forget one update: it was delivered or has expired."""
        if self.waiting.pop(update_id, None) is not None:
            self._store.remove("update", self._key(update_id))

    def drop_all(self) -> None:
        """Forget everything that waits."""
        for update_id in list(self.waiting):
            self.drop(update_id)

    def drop_expired(self) -> None:
        """Forget what nobody fetched in time."""
        now = self.world.config.clock()
        for update in list(self.waiting.values()):
            if update.expires_at <= now:
                self.drop(update.update_id)

    def confirm(self, offset: int) -> None:
        """Forget what the poller has: all below a positive offset, all but the last -offset."""
        if offset > 0:
            gone = list(itertools.takewhile(lambda update_id: update_id < offset, self.waiting))
        elif offset < 0:
            gone = list(self.waiting)[:offset]
        else:
            gone = []
        for update_id in gone:
            self.drop(update_id)

    async def poll(self, offset: int, limit: int, seconds: float) -> list[Json]:
        """Confirm, then give what waits, or wait for the first up to that many seconds.

        Raises 409 when another poller comes while this one waits.
        """
        self.end_poll()
        self.confirm(offset)
        self.drop_expired()
        if not self.waiting and seconds > 0:
            await self._wait(seconds)
        return [update.body for update in itertools.islice(self.waiting.values(), limit)]

    def end_poll(self, reason: str = _OTHER_POLLER) -> None:
        """Send a waiting poller away with a 409."""
        if self._poller is not None and not self._poller.done():
            self._poller.set_exception(conflict(reason))

    def release_poll(self) -> None:
        """Let a waiting poller go with what there is."""
        self._arrival.set()

    async def wait_for_arrival(self) -> None:
        """Return as soon as an update has come since the last call."""
        await self._arrival.wait()
        self._arrival.clear()

    async def _wait(self, seconds: float) -> None:
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._poller = ended
        self._arrival.clear()
        arrival = asyncio.create_task(self._arrival.wait())
        try:
            events: set[asyncio.Future[Any]] = {ended, arrival}
            await asyncio.wait(events, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                ended.result()
        finally:
            arrival.cancel()
            ended.cancel()
            if self._poller is ended:
                self._poller = None

    def _key(self, update_id: int) -> str:
        return f"{self.bot.id}/{update_id:020d}"
