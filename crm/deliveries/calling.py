"""Making the calls of one group: in their slots, all at a time if need be, and not one more than may still be made."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any
from uuid import UUID

import structlog

from crm.db.session import Sessions
from crm.deliveries import effects
from crm.deliveries.policy import CONTENT_ERRORS_TO_PAUSE, Candidate, reference
from crm.deliveries.rates import Pacer, rate_of
from crm.deliveries.types import (
    ChannelSender,
    ContentRejected,
    InDoubt,
    Lane,
    MessageClass,
    Migrated,
    NotAccepted,
    SendOutcome,
    Sent,
    Throttled,
    Unauthorized,
    Unreachable,
)
from crm.kit.clock import monotonic
from crm.kit.failures import where
from crm.messages.types import Outbound

log = structlog.get_logger(__name__)
_REFERENCE = {"zh": "编号", "en": "Ref."}
_REFERENCE_ROOM = 32


@dataclass(frozen=True, slots=True)
class Call:
    """A message to one recipient, or why there is none."""

    candidate: Candidate
    message: Outbound | ContentRejected | Sent
    """`Sent` where nothing is left to say."""
    is_further: bool = False
    """A part of the same message as the call before it, which has to come first."""

    @property
    def bot_id(self) -> int:
        """The bot through which it goes."""
        assert self.candidate.bot_id is not None
        return self.candidate.bot_id

    @property
    def address(self) -> str:
        """Where it goes."""
        assert self.candidate.address is not None
        return self.candidate.address

    @property
    def channel(self) -> str:
        """The channel on which it goes."""
        assert self.candidate.channel is not None
        return self.candidate.channel


def with_reference(message: Outbound, delivery_id: UUID, locale: str) -> Outbound:
    """The message with its short number, by which a second copy is known as such."""
    label = _REFERENCE["zh" if locale.startswith("zh") else "en"]
    return replace(message, text_html=f"{message.text_html}\n\n{label} {reference(delivery_id)}")


def numbered(call: Call) -> Call:
    """The call with its delivery's number in the message, if there is one."""
    if not isinstance(call.message, Outbound):
        return call
    candidate = call.candidate
    return replace(call, message=with_reference(call.message, candidate.delivery_id, candidate.locale))


def room_in(message_class: MessageClass) -> int:
    """UTF-16 units that each message of this class must leave free for its number."""
    return _REFERENCE_ROOM if message_class is MessageClass.RECEIPT else 0


def chains(calls: Sequence[Call]) -> list[range]:
    """Which neighbours are parts of one message."""
    starts = [index for index, call in enumerate(calls) if not call.is_further]
    return [range(start, end) for start, end in pairwise([*starts, len(calls)])]


def in_groups(calls: Sequence[Call], size: int) -> list[list[Call]]:
    """The calls in groups of at most `size`, the parts of a message always together."""
    groups: list[list[Call]] = []
    for chain in chains(calls):
        if not groups or len(groups[-1]) + len(chain) > size:
            groups.append([])
        groups[-1] += calls[chain.start : chain.stop]
    return groups


class Caller:
    """Calls the channels for one chunk; remembers what forbids further calls."""

    def __init__(
        self,
        sessions: Sessions,
        senders: Mapping[str, ChannelSender],
        pacer: Pacer,
        *,
        stop: asyncio.Event,
        drain: float,
        content_errors: int,
        lane: Lane = Lane.BULK,
    ) -> None:
        self._sessions = sessions
        self._senders = senders
        self._pacer = pacer
        self._stop = stop
        self._drain = drain
        self._content_errors = content_errors
        self._lane = lane
        self._halted: set[int] = set()
        self.deadline = 0.0
        """On the monotonic clock: when the lease may be someone else's."""

    def may_call(self, bot_id: int) -> bool:
        """Whether a message may still go out through this bot."""
        return not (
            self._stop.is_set()
            or bot_id in self._halted
            or self._content_errors >= CONTENT_ERRORS_TO_PAUSE
            or monotonic() >= self.deadline
        )

    async def call_all(self, calls: Sequence[Call], slots: Sequence[float]) -> list[SendOutcome | None]:
        """One outcome per call, in their order; None for those that were not begun."""
        outcomes: list[SendOutcome | None] = [None] * len(calls)
        begun: set[int] = set()
        order = iter(sorted(chains(calls), key=lambda chain: slots[chain[0]]))
        await self._until_done([asyncio.create_task(self._work(order, calls, slots, outcomes, begun)) for _ in calls])
        for index in begun:
            if outcomes[index] is None:
                outcomes[index] = InDoubt("the process was stopped before the answer came")
        return outcomes

    async def _until_done(self, workers: list[asyncio.Task[None]]) -> None:
        """Wait for the workers; once the process is told to stop, only as long as it may drain."""
        stopping = asyncio.create_task(self._stop.wait())
        finished = asyncio.gather(*workers)
        try:
            either: set[asyncio.Future[Any]] = {finished, stopping}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if not finished.done():
                await asyncio.wait({finished}, timeout=self._drain)
            if finished.done():
                finished.result()
        finally:
            stopping.cancel()
            if not finished.done() or finished.cancelled() or finished.exception() is not None:
                finished.cancel()
                await asyncio.gather(*workers, return_exceptions=True)

    async def _work(
        self,
        order: Iterator[range],
        calls: Sequence[Call],
        slots: Sequence[float],
        outcomes: list[SendOutcome | None],
        begun: set[int],
    ) -> None:
        for chain in order:
            for index in chain:
                call = calls[index]
                await self._until(call, slots[index])
                if not self.may_call(call.bot_id):
                    break
                begun.add(index)
                outcomes[index] = outcome = await self._call(call)
                await self._learn(call, outcome)
                if isinstance(outcome, Unreachable | ContentRejected):
                    # What keeps one part from being sent keeps the others too.
                    outcomes[index + 1 : chain.stop] = [outcome] * (chain.stop - index - 1)
                if not isinstance(outcome, Sent | InDoubt):
                    break

    async def _until(self, call: Call, slot: float) -> None:
        """Wait for the slot, and after waking up late for those who leave before this one."""
        rate = rate_of(call.candidate, self._senders[call.channel].traits, self._lane)
        wait = slot - monotonic()
        if wait <= 0:
            wait = self._pacer.leave(call.bot_id, self._lane, rate)
        while wait > 0 and self.may_call(call.bot_id):
            await asyncio.sleep(wait)
            wait = self._pacer.leave(call.bot_id, self._lane, rate)

    async def _call(self, call: Call) -> SendOutcome:
        if not isinstance(call.message, Outbound):
            return call.message
        outcome = await self._send(call, call.address, call.message)
        if not isinstance(outcome, Migrated):
            return outcome
        identity_id = call.candidate.identity_id
        if identity_id is None or not await effects.move_address(self._sessions, identity_id, outcome):
            return Unreachable("moved")
        return await self._send(call, outcome.address, call.message)

    async def _send(self, call: Call, address: str, message: Outbound) -> SendOutcome:
        try:
            return await self._senders[call.channel].send(call.bot_id, address, message, lane=self._lane)
        except Exception as error:  # noqa: BLE001 - a sender that raises broke its promise; nobody knows what it sent
            delivery_id = str(call.candidate.delivery_id)
            log.warning("sender_raised", channel=call.channel, delivery_id=delivery_id, error=where(error))
            return InDoubt(f"the sender failed: {type(error).__name__}")

    async def _learn(self, call: Call, outcome: SendOutcome) -> None:
        if isinstance(outcome, Sent):
            self._content_errors = 0
        elif isinstance(outcome, ContentRejected):
            self._content_errors += 1
        elif isinstance(outcome, Throttled | Unauthorized):
            is_first = call.bot_id not in self._halted
            self._halted.add(call.bot_id)
            if is_first or isinstance(outcome, Throttled):
                await effects.halt_bot(self._sessions, call.bot_id, outcome)
            if is_first and isinstance(outcome, Throttled):
                is_paid = self._lane is Lane.PAID
                rate = self._senders[call.channel].traits.paid_rate if is_paid else call.candidate.bulk_rate
                await self._pacer.slow_down(call.bot_id, rate or 1.0, self._lane)
        elif isinstance(outcome, NotAccepted | InDoubt):
            delivery_id = str(call.candidate.delivery_id)
            log.debug("send_failed", bot_id=call.bot_id, delivery_id=delivery_id, outcome=type(outcome).__name__)
