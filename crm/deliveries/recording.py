"""What came of a chunk's calls: kept in memory from the answers to the next commit, then written by the group.

A group that was simply sent, the usual one, costs one statement: its row, and the intent of the next group. Any other
group is written with all that its answers change (identities, the source) in one transaction, again with the next
intent in it, so that an audience of whom many have left is not slower by half.
"""

import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.db.held import HeldConnection
from crm.deliveries import effects, leases, log, sources, tallies
from crm.deliveries.calling import Call
from crm.deliveries.leases import Lease
from crm.deliveries.policy import Result, conclude
from crm.deliveries.tallies import Tally
from crm.deliveries.types import Reason, SendOutcome, Sent

_JITTER_STEPS = 1 << 16


class Recorder:
    """The written and unwritten results of one lease."""

    def __init__(self, held: HeldConnection, lease: Lease) -> None:
        self.lease = lease
        self.tally = Tally()
        self._held = held
        self._unwritten: list[tuple[Call, SendOutcome | None]] = []
        self._streak = lease.content_errors
        self._awaits_receipts = False

    def keep(self, calls: Sequence[Call], outcomes: Sequence[SendOutcome | None]) -> None:
        """Remember what came of a group until it is written."""
        self._unwritten = list(zip(calls, outcomes, strict=True))

    async def turn(self, intended: Sequence[UUID]) -> bool:
        """Commit the last group's results and the next one's intent; False when the source was stopped meanwhile.

        Then the intent was not written. Raises LeaseLost, with nothing written.
        """
        if self._is_plain():
            is_active = await log.turn(self._held, self.lease, self._sent(), intended)
            self._count_sent()
            return is_active
        async with self._held.begin() as session:
            await leases.extend(session, self.lease)
            streak = await self._write(session)
            # Asked after it: these results may just have paused the source.
            is_active = await log.intend(session, self.lease, intended)
        self._written(streak)
        return is_active

    async def write(self) -> None:
        """Write what is in memory, with all that it changes."""
        async with self._held.begin() as session:
            await leases.extend(session, self.lease)
            streak = await self._write(session)
        self._written(streak)

    async def give_back(self, *, is_through: bool, pause: timedelta) -> None:
        """Write what is left and let go of the chunk, to be taken up again after `pause` or when something is due."""
        if is_through and self._is_plain() and self.tally.open == 0 and not self._must_recount():
            ended = replace(self.tally, ended=self.tally.ended + _sent_only(len(self._unwritten)))
            await log.close(self._held, self.lease, self._sent(), ended)
            self._unwritten, is_done = [], True
        else:
            is_done = await self._settle(is_through=is_through, pause=pause)
        # After the commit: of two chunks that end at the same moment, the later one sees both.
        if is_done and await log.is_last(self._held, self.lease):
            async with self._held.begin() as session:
                await sources.finish_due(session, self.lease.broadcast_id)

    async def _settle(self, *, is_through: bool, pause: timedelta) -> bool:
        async with self._held.begin() as session:
            await leases.extend(session, self.lease)
            streak = await self._write(session)
            tally = self.tally
            if self._must_recount() or not is_through:
                tally = await tallies.from_rows(session, self.lease.chunk_id)
            not_before = tally.due(await clock.now(session)) + pause
            await leases.let_go(
                session, self.lease, is_done=tally.open == 0, not_before=not_before, tally=tally.as_json()
            )
        self._written(streak)
        return tally.open == 0

    def _must_recount(self) -> bool:
        """Whether the rows know more than we do: of an earlier lease, or of a receipt that may have come in."""
        return self.lease.has_history or self._awaits_receipts

    def _is_plain(self) -> bool:
        """Whether all there is to note is that messages were sent."""
        return not self._streak and all(
            isinstance(outcome, Sent) and not outcome.awaits_receipt for _, outcome in self._unwritten
        )

    def _sent(self) -> list[log.SentLine]:
        return [
            (call.candidate.delivery_id, call.candidate.identity_id, outcome.provider_ref)
            for call, outcome in self._unwritten
            if isinstance(outcome, Sent)
        ]

    def _count_sent(self) -> None:
        self.tally.ended.update(_sent_only(len(self._unwritten)))
        self._unwritten = []

    def _written(self, streak: int) -> None:
        self._unwritten, self._streak = [], streak

    async def _write(self, session: AsyncSession) -> int:
        """Append what came of the last group; answers the streak of content errors after it."""
        if not self._unwritten:
            return self._streak
        now = await clock.now(session)
        outcomes = [outcome for _, outcome in self._unwritten]
        results = self._results(now)
        await log.append(session, self.lease, results)
        await effects.note_unreachable(session, results, outcomes)
        await effects.pause_if_long(session, self.lease, outcomes, now)
        self.tally.add(results)
        # A receipt may come in while the chunk is still ours; the rows know, we do not.
        self._awaits_receipts |= any(result.awaits_receipt for result in results)
        return await effects.count_content_errors(session, self.lease, self._streak, results)

    def _results(self, now: datetime) -> list[Result]:
        results: list[Result] = []
        for call, outcome in self._unwritten:
            result = self._result(call, outcome, now)
            if outcome is None and call.is_further:
                # It waits for the part before it, so that both are taken up together.
                result = replace(result, not_before=results[-1].not_before or now)
            results.append(result)
        return results

    def _result(self, call: Call, outcome: SendOutcome | None, now: datetime) -> Result:
        candidate = call.candidate
        if outcome is None:
            identity = candidate.identity_id
            return Result(candidate.delivery_id, identity, "deferred", Reason.NOT_STARTED, not_before=now)
        jitter = 0.0 if isinstance(outcome, Sent) else secrets.randbelow(_JITTER_STEPS) / _JITTER_STEPS
        return conclude(candidate, outcome, self.lease.message_class, now, jitter)


def _sent_only(number: int) -> Counter[str]:
    return Counter({"sent": number} if number else {})
