"""Broadcasts that are paid for by the message: every message is counted before it is sent, and none beyond the cap."""

from collections.abc import Mapping, Sequence
from itertools import accumulate

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.session import Sessions
from crm.deliveries import sources
from crm.deliveries.calling import Call
from crm.deliveries.leases import Lease
from crm.deliveries.models import SourceRow
from crm.deliveries.types import ChannelSender, InDoubt, Reason, SendOutcome, Sent
from crm.messages.types import Outbound

MESSAGES_PER_STAR = 10
"""A message costs a tenth of a Star."""


class Purse:
    """What one run of a chunk may still send; a kill leaves what it had asked for counted as spent."""

    def __init__(self, sessions: Sessions, senders: Mapping[str, ChannelSender], lease: Lease) -> None:
        self._sessions = sessions
        self._senders = senders
        self._lease = lease
        self._left = 0

    async def affordable(self, calls: list[Call]) -> list[Call]:
        """As many of the first calls as may be paid for, all where nothing is paid; none pauses the source."""
        if not self._lease.is_paid:
            return calls
        costs = [self._costs(call) for call in calls]
        wanted = sum(costs)
        await self._fetch(wanted)
        granted = min(wanted, self._left)
        self._left -= granted
        return [call for call, spent in zip(calls, accumulate(costs), strict=True) if spent <= granted]

    def settle(self, calls: Sequence[Call], outcomes: Sequence[SendOutcome | None]) -> None:
        """Put back what was granted and surely not taken."""
        if self._lease.is_paid:
            pairs = zip(calls, outcomes, strict=True)
            self._left += sum(self._costs(call) for call, item in pairs if not isinstance(item, Sent | InDoubt))

    async def pause_if_empty(self) -> None:
        """At once, and not when somebody next looks."""
        await self._fetch(1)

    async def close(self) -> None:
        """Count what was not needed as not spent."""
        if self._left:
            async with self._sessions.begin() as session:
                await _take(session, self._lease, -self._left)
            self._left = 0

    async def _fetch(self, wanted: int) -> None:
        if self._left < wanted:
            async with self._sessions.begin() as session:
                self._left += await _take(session, self._lease, wanted - self._left)
                if self._left == 0:
                    await _pause(session, self._lease)

    def _costs(self, call: Call) -> bool:
        return isinstance(call.message, Outbound) and self._senders[call.channel].traits.paid_rate > 0


async def _take(session: AsyncSession, lease: Lease, wanted: int) -> int:
    query = select(SourceRow.paid_limit, SourceRow.paid_count).where(SourceRow.id == lease.broadcast_id)
    limit, count = (await session.execute(query.with_for_update())).one()
    granted = wanted if wanted < 0 else max(0, min(wanted, (limit or 0) - count))
    if granted:
        spent = update(SourceRow).where(SourceRow.id == lease.broadcast_id)
        await session.execute(spent.values(paid_count=SourceRow.paid_count + granted))
    return int(granted)


async def _pause(session: AsyncSession, lease: Lease) -> None:
    """Wait for somebody to raise the cap; not where paying was ended meanwhile, for then it goes on without."""
    row = await sources.locked(session, lease.source_kind, lease.source_id)
    if row.paid_limit is not None:
        await sources.pause(session, lease.source_kind, lease.source_id, reason=Reason.STARS_CAP)
