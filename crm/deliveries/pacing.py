"""The slots of calls: each bot and lane has buckets of its own, and slots are taken ahead of their time."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence

from crm.deliveries.calling import Call
from crm.deliveries.rates import Pacer, Slot, rate_of, slot_for
from crm.deliveries.types import ChannelSender, Lane
from crm.kit.clock import monotonic
from crm.messages.types import ChannelTraits, Outbound

_AHEAD = 0.1
"""Seconds of slots that are taken at once: a sender that waits for the database that long still loses none."""


def slowest(senders: Mapping[str, ChannelSender], calls: Sequence[Call], lane: Lane) -> float:
    """The rate of the slowest bot among the calls, of which there is at least one."""
    return min(rate_of(call.candidate, senders[call.channel].traits, lane) for call in calls)


async def reserve(pacer: Pacer, senders: Mapping[str, ChannelSender], calls: Sequence[Call], lane: Lane) -> list[float]:
    """When each call may begin, on the monotonic clock; the slots are taken."""
    begins = [0.0] * len(calls)
    by_bot: dict[int, list[int]] = {}
    for index, call in enumerate(calls):
        by_bot.setdefault(call.bot_id, []).append(index)
    for bot_id, indices in by_bot.items():
        first = calls[indices[0]]
        traits = senders[first.channel].traits
        slots = [_slot(calls[index], traits) for index in indices]
        now = monotonic()
        waits = await pacer.reserve(bot_id, lane, rate_of(first.candidate, traits, lane), slots)
        for index, wait in zip(indices, waits, strict=True):
            begins[index] = now + wait
    return begins


def _slot(call: Call, traits: ChannelTraits) -> Slot:
    length = len(call.message.text_html) if isinstance(call.message, Outbound) else 0
    return slot_for(traits, call.address, length)


class SlotsAhead:
    """The slots of a window's groups: while one block of groups is sent, the next one's slots are taken already."""

    def __init__(
        self,
        reserve: Callable[[Sequence[Call]], Awaitable[list[float]]],
        groups: Sequence[Sequence[Call]],
        rate: float,
        taken_all: Callable[[], None],
    ) -> None:
        self._reserve = reserve
        self._blocks = deque(_blocks(groups, rate * _AHEAD))
        self._taken_all = taken_all
        self._ready: deque[list[float]] = deque()
        self._coming = asyncio.create_task(self._take())

    async def next(self) -> list[float]:
        """When each call of the next group may begin; to be asked once per group."""
        if not self._ready:
            self._ready.extend(await self._coming)
            if self._blocks:
                self._coming = asyncio.create_task(self._take())
        return self._ready.popleft()

    async def close(self) -> None:
        """Wait for what is being asked; slots that were not used are lost."""
        await asyncio.wait({self._coming})

    async def _take(self) -> list[list[float]]:
        block = self._blocks.popleft()
        slots = iter(await self._reserve([call for group in block for call in group]))
        if not self._blocks:
            self._taken_all()
        return [[next(slots) for _ in group] for group in block]


def _blocks(groups: Sequence[Sequence[Call]], most: float) -> list[list[Sequence[Call]]]:
    """Neighbouring groups that together have at most so many calls, a large one by itself."""
    blocks: list[list[Sequence[Call]]] = []
    size = 0
    for group in groups:
        if not blocks or size + len(group) > most:
            blocks.append([])
            size = 0
        blocks[-1].append(group)
        size += len(group)
    return blocks
