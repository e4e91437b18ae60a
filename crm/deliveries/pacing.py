"""The slots of a group's calls: each bot and lane has buckets of its own."""

from collections.abc import Mapping, Sequence

from crm.deliveries.calling import Call
from crm.deliveries.rates import Pacer, Slot, rate_of, slot_for
from crm.deliveries.types import ChannelSender, Lane
from crm.kit.clock import monotonic
from crm.messages.types import ChannelTraits, Outbound


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
