"""The channels' senders of one process."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager

from bot.channels.contract import ChannelContext, ChannelManifest
from crm.deliveries.types import ChannelSender
from crm.kit.parts import load_part
from runtime.measuring.counters import MeasuredSender, ProcessFigures


def make_senders(manifests: Mapping[str, ChannelManifest], context: ChannelContext) -> dict[str, ChannelSender]:
    """Each channel's sender, by the channel's name."""
    return {name: load_part(manifest.sender)(context) for name, manifest in manifests.items()}


async def close_all(parts: Iterable[object]) -> None:
    """Close the connections of those parts of channels that have any."""
    for part in parts:
        close = getattr(part, "close", None)
        if close is not None:
            await close()


@asynccontextmanager
async def open_senders(
    manifests: Mapping[str, ChannelManifest], context: ChannelContext, figures: ProcessFigures
) -> AsyncIterator[dict[str, ChannelSender]]:
    """The senders, measured, with their connections closed in the end."""
    senders = make_senders(manifests, context)
    measured: dict[str, ChannelSender] = {name: MeasuredSender(item, figures) for name, item in senders.items()}
    try:
        yield measured
    finally:
        await close_all(senders.values())
