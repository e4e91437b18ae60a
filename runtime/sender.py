"""The bulk sender: takes chunks of deliveries and sends them, as many bots side by side as there are.

It loads no bot framework. Any number of these processes may run; what each sends is decided by leases in PostgreSQL.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import structlog
from redis.asyncio import Redis
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import QueuePool

from crm.db.session import Sessions
from crm.deliveries import leases
from crm.deliveries.lines import Lines
from crm.deliveries.rates import LocalPacer, Pacer, ValkeyPacer
from crm.deliveries.rendering import Renderer
from crm.deliveries.sending import ChunkRun, Desk, take_next
from crm.deliveries.types import ChannelSender
from crm.kit.clock import monotonic
from crm.kit.ids import token

log = structlog.get_logger(__name__)
_IDLE = 0.5
_AFTER_ERROR = 2.0
_PEERS_KNOWN = 1.0
_MOST_RUNS = 8
_SPARE_CONNECTIONS = 2
"""Each run holds one connection; leases are taken and kept alive through others."""
_NO_BOT = 0
_OUTSIDE = (SQLAlchemyError, OSError, TimeoutError)


async def run_sender(
    sessions: Sessions,
    valkey: Redis,
    senders: Mapping[str, ChannelSender],
    renderer: Renderer,
    stop: asyncio.Event,
    *,
    pacer: Pacer | None = None,
    open_groups: int = 1,
) -> None:
    """Send until `stop` is set, then finish what is under way (at most 15 seconds) and give the leases back.

    `senders` by channel; `open_groups` is how many groups of 25 may be open at once per bot, and so the bound on what
    a kill leaves uncertain. A bot that answers slowly needs about rate x latency / 25 of them.
    """
    local = LocalPacer()
    pacer = pacer or ValkeyPacer(valkey, local)
    lines = Lines(open_groups)
    desk = Desk(sessions, pacer, senders, renderer, token("sender-", size=9), stop, lines=lines)
    await _Floor(desk, local, _most_runs(sessions)).work()


def _most_runs(sessions: Sessions) -> int:
    pool = sessions.kw["bind"].pool
    return max(1, min(_MOST_RUNS, pool.size() - _SPARE_CONNECTIONS)) if isinstance(pool, QueuePool) else _MOST_RUNS


@dataclass
class _Floor:
    """The runs of one process."""

    desk: Desk
    local: LocalPacer
    most_runs: int
    runs: dict[asyncio.Task[None], int] = field(default_factory=dict)
    """Each run with the bot it serves."""
    idle_beside: set[int] = field(default_factory=set)
    """The bots that were busy when nothing else was due."""
    asks_again_at: float = 0.0
    counts_again_at: float = 0.0

    async def work(self) -> None:
        stop = self.desk.stop
        try:
            while not stop.is_set():
                is_busy = len(self.runs) < self.most_runs and await self._take()
                if not is_busy:
                    await self._rest()
        finally:
            await self._finish()

    async def _take(self) -> bool:
        serving = Counter(self.runs.values())
        busy = {bot_id for bot_id, number in serving.items() if number >= self.desk.lines.room(bot_id)}
        if busy == self.idle_beside and monotonic() < self.asks_again_at:
            return False
        try:
            lease = await take_next(self.desk, busy)
            await self._count_peers()
        except _OUTSIDE as error:
            log.warning("sender_waits_for_database", error=type(error).__name__)
            await self._pause(_AFTER_ERROR)
            return False
        if lease is None:
            self.idle_beside, self.asks_again_at = busy, monotonic() + _IDLE
            return False
        task = asyncio.create_task(ChunkRun(self.desk, lease).run())
        self.runs[task] = lease.bot_id or _NO_BOT
        task.add_done_callback(self._ended)
        return True

    async def _count_peers(self) -> None:
        """Know with how many others the rate is to be shared should Valkey go away."""
        if monotonic() < self.counts_again_at:
            return
        async with self.desk.sessions() as session:
            self.local.peers = max(1, await leases.owners(session))
        self.counts_again_at = monotonic() + _PEERS_KNOWN

    def _ended(self, task: asyncio.Task[None]) -> None:
        self.runs.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("chunk_failed", error=type(error).__name__, exc_info=error)

    async def _rest(self) -> None:
        """Until a run ends, or is about to, or some time passed."""
        if not self.runs:
            await self._pause(_IDLE)
            return
        told = [asyncio.create_task(event.wait()) for event in (self.desk.stop, self.desk.lines.news)]
        await asyncio.wait({*self.runs, *told}, timeout=_IDLE, return_when=asyncio.FIRST_COMPLETED)
        for task in told:
            task.cancel()
        self.desk.lines.news.clear()

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.desk.stop.wait(), seconds)

    async def _finish(self) -> None:
        """Runs end by themselves once told to stop; on a cancellation they are cancelled."""
        running = list(self.runs)
        try:
            await asyncio.gather(*running, return_exceptions=True)
        except asyncio.CancelledError:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            raise
