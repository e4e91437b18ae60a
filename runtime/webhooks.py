"""The loop that sends webhook messages: few at a time to each endpoint, so that a slow one holds up no other."""

import asyncio
import contextlib
from collections import Counter
from dataclasses import dataclass, field

import structlog

from crm.db.session import Sessions
from crm.kit.egress import Egress
from crm.webhooks.sending import call, claim, settle
from crm.webhooks.types import Claimed

PER_ENDPOINT = 4
"""Calls to one endpoint at a time, in one process."""
_IDLE = 0.5
_AFTER_ERROR = 2.0
_DESKS = 4
"""Transactions at a time: many calls may end at once, and the pool of connections serves others too."""
log = structlog.get_logger(__name__)


@dataclass
class Courier:
    """Takes what is due until told to stop; what is on its way then is finished."""

    sessions: Sessions
    egress: Egress
    per_endpoint: int = PER_ENDPOINT
    _calls: dict[asyncio.Task[None], int] = field(default_factory=dict)
    _desks: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_DESKS))

    async def run(self, stop: asyncio.Event) -> None:
        """Send until `stop`; any number of processes may do so."""
        try:
            while not stop.is_set():
                if not await self._take(stop):
                    await self._rest(stop)
        finally:
            await self._finish()

    async def _take(self, stop: asyncio.Event) -> bool:
        load = Counter(self._calls.values())
        busy = [endpoint_id for endpoint_id, number in load.items() if number >= self.per_endpoint]
        try:
            found = await claim(self.sessions, busy)
        except Exception as error:  # noqa: BLE001 - the database may be away in any way; it comes back
            log.warning("webhooks_wait", error=type(error).__name__)
            await _pause(stop, _AFTER_ERROR)
            return False
        for claimed in found:
            task = asyncio.create_task(self._send(claimed))
            self._calls[task] = claimed.endpoint_id
            task.add_done_callback(self._ended)
        return bool(found)

    async def _send(self, claimed: Claimed) -> None:
        outcome = await call(self.egress, claimed)
        async with self._desks, self.sessions.begin() as session:
            await settle(session, claimed, outcome)
        if not outcome.is_success:
            log.info("webhook_failed", endpoint_id=claimed.endpoint_id, event_id=str(claimed.event_id))

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._calls.pop(task, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            # The lease runs out, and the message is sent again under the same id.
            log.error("webhook_not_settled", error=type(error).__name__)

    async def _rest(self, stop: asyncio.Event) -> None:
        """Until a call ends, some time passed, or the end."""
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({*self._calls, stopping}, timeout=_IDLE, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()

    async def _finish(self) -> None:
        await asyncio.gather(*self._calls, return_exceptions=True)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
