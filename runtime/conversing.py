"""Joins channels, dispatcher, flows and the interactive lane for the processes that hold conversations."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from bot.channels.contract import ChannelContext, ChannelManifest
from bot.dispatcher import Dispatcher
from bot.handling import Handler
from bot.intake import Intake
from bot.replies import enqueue
from crm.bots import service as bots
from crm.config.settings import TelegramMode
from crm.db.liveness import Liveness
from crm.deliveries.interactive import InteractiveLane
from crm.deliveries.rates import ValkeyPacer
from crm.inbox import outages
from crm.kit.parts import load_part
from crm.messages.service import render_flow
from flows.engine import registry
from flows.engine.engine import Engine
from runtime.channels import discover_channels
from runtime.container import Container
from runtime.loops import outlast, repeat
from runtime.senders import close_all, open_senders
from runtime.taps import TAPS

_TIMERS_REST = 1.0
HOOKED = TelegramMode.WEBHOOK
_SWEEP_REST = 3.0


@dataclass(frozen=True)
class Conversing:
    """What a process needs to receive, handle and answer."""

    manifests: Mapping[str, ChannelManifest]
    context: ChannelContext
    dispatcher: Dispatcher
    lane: InteractiveLane


@asynccontextmanager
async def open_conversing(container: Container) -> AsyncIterator[Conversing]:
    """Everything put together; what was begun is finished in the end."""
    manifests = discover_channels()
    context = ChannelContext(container.settings, container.interactive, container.valkey)
    async with open_senders(manifests, context, container.measures.process) as senders:
        liveness = Liveness(container.interactive)
        lane = InteractiveLane(container.interactive, ValkeyPacer(container.valkey), senders, liveness)
        channels = {name: load_part(manifest.inbound)(context) for name, manifest in manifests.items()}
        handler = Handler(
            container.interactive,
            channels,
            Engine(registry.discover(), render_flow, TAPS),
            enqueue,
            lane.deliver_now,
            observe=container.measures.process.update,
        )
        dispatcher = Dispatcher(container.interactive, handler)
        intake = Intake(container.interactive, dispatcher)
        try:
            yield Conversing(manifests, replace(context, intake=intake), dispatcher, lane)
        finally:
            await dispatcher.close()
            await liveness.close()
            await close_all(channels.values())


async def sweep(conversing: Conversing, stop: asyncio.Event) -> None:
    """Pick up what another process left: updates, timers, replies. Any number of processes may do so."""
    async with asyncio.TaskGroup() as group:
        group.create_task(repeat("updates", conversing.dispatcher.sweep, stop, rest=_SWEEP_REST))
        group.create_task(repeat("timers", conversing.dispatcher.wake_due, stop, rest=_TIMERS_REST))
        group.create_task(repeat("replies", conversing.lane.sweep, stop, rest=_SWEEP_REST))
        group.create_task(_stop_taking(conversing, stop))


async def _stop_taking(conversing: Conversing, stop: asyncio.Event) -> None:
    """A chat with many updates or replies would hold up the end of the process for as long as they last."""
    await stop.wait()
    conversing.dispatcher.stop()
    conversing.lane.stop()


async def poll(conversing: Conversing, stop: asyncio.Event) -> None:
    """Run every channel's poller until `stop`."""
    async with asyncio.TaskGroup() as group:
        for manifest in conversing.manifests.values():
            if manifest.poller is not None:
                group.create_task(load_part(manifest.poller)(conversing.context, stop))


async def keep_providers_told(conversing: Conversing, stop: asyncio.Event) -> None:
    """Run what tells each channel's provider of bots that were added or changed, until `stop`."""
    async with asyncio.TaskGroup() as group:
        for manifest in conversing.manifests.values():
            if manifest.keep is not None:
                group.create_task(load_part(manifest.keep)(conversing.context, stop))


async def listen_to_webhooks(conversing: Conversing, stop: asyncio.Event) -> None:
    """Give signs of life for the bots whose updates come in by webhook, in a process that serves them."""
    sessions = conversing.context.sessions

    async def sign() -> bool:
        async with sessions() as session:
            hooked = [bot.id for bot in await bots.listing(session, active_only=True) if bot.mode == HOOKED]
        for bot_id in hooked:
            async with sessions.begin() as session:
                await outages.listening(session, bot_id)
        return False

    async with asyncio.TaskGroup() as group:
        group.create_task(keep_providers_told(conversing, stop))
        group.create_task(repeat("receptions", sign, stop, rest=outages.SIGN_EVERY.total_seconds()))


async def tell_providers(conversing: Conversing, stop: asyncio.Event) -> None:
    """Let each channel say what its provider must know: commands, webhooks, the menu."""

    async def begin() -> None:
        for manifest in conversing.manifests.values():
            if manifest.start is not None:
                await load_part(manifest.start)(conversing.context)

    await outlast("providers", begin, stop)
