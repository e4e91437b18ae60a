"""Sending one leased chunk: windows are judged, groups of at most 25 intended, paced, sent and recorded."""

import asyncio
import contextlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import asyncpg
import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.away import is_away
from crm.db.held import HeldConnection
from crm.db.session import Sessions
from crm.deliveries import gates, leases, parts
from crm.deliveries.calling import Call, Caller, in_groups, numbered
from crm.deliveries.errors import LeaseLost
from crm.deliveries.leases import Lease
from crm.deliveries.lines import Lines
from crm.deliveries.pacing import SlotsAhead, reserve, slowest
from crm.deliveries.parts import Rendered
from crm.deliveries.paying import Purse
from crm.deliveries.policy import CHUNK, Candidate, group_size, part_of, step_of, window_size
from crm.deliveries.rates import USUAL_RATE, Pacer
from crm.deliveries.recording import Recorder
from crm.deliveries.rendering import Batch, Renderer
from crm.deliveries.types import ChannelSender, ContentRejected, Lane, MessageClass
from crm.kit.clock import monotonic

logger = structlog.get_logger(__name__)
_START: gates.Position = (0, -1)
_INSTANT = 0.001
_MADE_READY = 0.5
"""Seconds before its last message at which a run lets the next one be made ready."""
_NO_PAUSE, _AFTER_OUTAGE, _AFTER_ERROR = timedelta(0), timedelta(seconds=1), timedelta(seconds=10)
_OUTSIDE = (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)
"""The database is away, or busy; what was not written stays in memory until it is."""


def _nothing() -> None:
    """More slots are reserved for the next window."""


@dataclass(frozen=True)
class Desk:
    """Everything that a sender works with."""

    sessions: Sessions
    pacer: Pacer
    senders: Mapping[str, ChannelSender]
    renderer: Renderer
    owner: str
    stop: asyncio.Event
    drain: float = 15.0
    """Seconds that calls under way are given once the process is told to stop."""
    paces: dict[int, float] = field(default_factory=dict)
    """Messages a second that each bot took lately: one that was slowed down is judged in smaller windows."""
    lines: Lines = field(default_factory=Lines)


class ChunkRun:
    """One lease of one chunk, from its first window to giving it back."""

    def __init__(self, desk: Desk, lease: Lease) -> None:
        self._desk = desk
        self._lease = lease
        self._lane = Lane.PAID if lease.is_paid else Lane.BULK
        self._held = HeldConnection(desk.sessions)
        self._caller = Caller(
            desk.sessions,
            desk.senders,
            desk.pacer,
            stop=desk.stop,
            drain=desk.drain,
            content_errors=lease.content_errors,
            lane=self._lane,
        )
        self._record = Recorder(self._held, lease)
        self._purse = Purse(desk.sessions, desk.senders, lease)
        self._has_parts = False
        self._turn = desk.lines.join(lease.bot_id or 0)

    async def run(self) -> None:
        """Send what may be sent; when the lease is lost on the way, nothing more is written."""
        self._keep_until(monotonic())
        pulse = asyncio.create_task(self._beat())
        try:
            try:
                await self._record.give_back(is_through=await self._walk(), pause=_NO_PAUSE)
            except LeaseLost:
                raise
            except Exception as error:  # noqa: BLE001 - whatever went wrong, what was sent is recorded
                logger.warning("chunk_interrupted", chunk_id=self._lease.chunk_id, error=type(error).__name__)
                await self._give_back_later(_AFTER_OUTAGE if is_away(error) else _AFTER_ERROR)
        except LeaseLost:
            logger.warning("lease_lost", chunk_id=self._lease.chunk_id, fence=self._lease.fence)
        finally:
            self._turn.leave()
            pulse.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await pulse
            await self._held.close()
            with contextlib.suppress(*_OUTSIDE):
                await self._purse.close()

    async def _give_back_later(self, pause: timedelta) -> None:
        """Save what is known as soon as the database can be reached again, for as long as the lease is ours."""
        while monotonic() < self._caller.deadline:
            try:
                await self._record.give_back(is_through=False, pause=pause)
            except _OUTSIDE:
                await asyncio.sleep(1)
            else:
                return

    def _keep_until(self, since: float) -> None:
        self._caller.deadline = since + leases.LEASE.total_seconds()

    async def _beat(self) -> None:
        """Keep the lease alive while a group takes its time."""
        while True:
            await asyncio.sleep(leases.LEASE.total_seconds() / 3)
            since = monotonic()
            try:
                async with self._desk.sessions.begin() as session:
                    await leases.extend(session, self._lease)
            except LeaseLost:
                self._caller.deadline = 0.0
                return
            except _OUTSIDE as error:
                logger.warning("lease_not_extended", error=type(error).__name__)
            else:
                self._keep_until(since)

    async def _walk(self) -> bool:
        """Go through the chunk window by window; False when it was left before its end."""
        position: gates.Position | None = _START
        allowed = float(CHUNK) if self._lease.is_paid else self._lease.bulk_rate or USUAL_RATE
        while position is not None:
            rate = min(allowed, self._desk.paces.get(self._lease.bot_id or 0, allowed))
            made = await self._make_ready(position, rate)
            if made is None:
                return False
            calls, position = made
            if calls:
                allowed = slowest(self._desk.senders, calls, self._lane)
                if not await self._send_window(calls, min(allowed, rate), is_last=position is None):
                    return False
        return True

    async def _make_ready(
        self, position: gates.Position, rate: float
    ) -> tuple[list[Call], gates.Position | None] | None:
        """The calls of the next window, rendered, and where the one after it begins; None when the source was stopped.

        What they were rendered from is large, and not kept while they are sent.
        """
        async with self._held.begin() as session:
            if not await leases.extend(session, self._lease):
                return None
            window = await gates.judge_window(
                session, self._lease, position, window_size(rate), frozenset(self._desk.senders)
            )
            batch = await self._load(session, window.passed)
        self._record.tally.add(window.refused)
        return [] if batch is None else await self._calls(window.passed, batch), window.last

    async def _load(self, session: AsyncSession, passed: Sequence[Candidate]) -> Batch | None:
        if not passed:
            return None
        wanted = [(candidate.person_id, step_of(candidate.step)) for candidate in passed]
        return await self._desk.renderer.load(session, self._lease.source_kind, self._lease.source_id, wanted)

    async def _calls(self, passed: Sequence[Candidate], batch: Batch) -> list[Call]:
        """What is to be said to whom, in order; further parts of long messages get deliveries of their own."""
        asked = [self._call(candidate, batch) for candidate in passed]
        if any(len(item.parts) > 1 or part_of(item.candidate.step) for item in asked):
            calls = await self._in_parts(asked)
        else:
            calls = [Call(item.candidate, item.parts[0]) for item in asked]
        return [numbered(call) for call in calls] if self._lease.message_class is MessageClass.RECEIPT else calls

    async def _in_parts(self, asked: Sequence[Rendered]) -> list[Call]:
        wanted = [
            parts.Wanted(item.candidate.member_id, item.candidate.step, len(item.parts))
            for item in asked
            if not part_of(item.candidate.step)
        ]
        async with self._held.begin() as session:
            await leases.extend(session, self._lease)
            made = await parts.make(session, self._lease, wanted)
        # What was just made may be met again further on: from now on results count.
        self._lease = self._record.lease = replace(self._lease, has_history=True)
        self._has_parts = True
        return parts.in_order(asked, made)

    async def _send_window(self, calls: Sequence[Call], rate: float, *, is_last: bool) -> bool:
        groups = in_groups(calls, group_size(rate))
        await self._turn.reserve()
        slots = SlotsAhead(self._reserve, groups, rate, self._turn.reserved_all if is_last else _nothing)
        try:
            await self._turn.open()
            begun, left = monotonic(), len(calls)
            for group in groups:
                left -= len(group)
                if is_last and left <= rate * _MADE_READY:
                    self._turn.end_soon()
                if not await self._send_group(group, slots):
                    return False
        finally:
            await slots.close()
        self._desk.paces[self._lease.bot_id or 0] = len(calls) / max(monotonic() - begun, _INSTANT)
        if self._has_parts:
            await self._record.write()
        return True

    async def _send_group(self, whole: list[Call], slots: SlotsAhead) -> bool:
        """False when nothing more is to be sent."""
        group = await self._purse.affordable(whole)
        if not group or not await self._open(group):
            return False
        outcomes = await self._caller.call_all(group, await slots.next())
        self._record.keep(group, outcomes)
        self._purse.settle(group, outcomes)
        if len(group) < len(whole):
            await self._purse.pause_if_empty()
            return False
        return True

    def _call(self, candidate: Candidate, batch: Batch) -> Rendered:
        assert candidate.channel is not None
        traits = self._desk.senders[candidate.channel].traits
        try:
            message = batch.render(candidate.person_id, candidate.locale, traits, step_of(candidate.step))
        except Exception as error:  # noqa: BLE001 - whatever a template raises is its own fault
            return Rendered(candidate, [ContentRejected(f"{type(error).__name__}: {error}")])
        return Rendered(candidate, parts.of_message(message, traits, self._lease.message_class))

    async def _reserve(self, calls: Sequence[Call]) -> list[float]:
        return await reserve(self._desk.pacer, self._desk.senders, calls, self._lane)

    async def _open(self, calls: Sequence[Call]) -> bool:
        """Commit the last group's results and this one's intent; False when nothing more is to be sent."""
        may_call = all(self._caller.may_call(call.bot_id) for call in calls)
        is_active = await self._record.turn([call.candidate.delivery_id for call in calls] if may_call else [])
        return may_call and is_active


async def take_next(desk: Desk, busy: Collection[int] = ()) -> Lease | None:
    """Lease the next chunk that is due; None when there is none."""
    async with desk.sessions.begin() as session:
        return await leases.take(session, desk.owner, desk.senders.keys(), busy=busy)


async def send_due(desk: Desk) -> int:
    """Send everything that is due now, one chunk after the other; answers how many chunks were taken up."""
    taken = 0
    while not desk.stop.is_set() and (lease := await take_next(desk)) is not None:
        await ChunkRun(desk, lease).run()
        taken += 1
    return taken
