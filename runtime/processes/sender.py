"""`siyu sender`: bulk deliveries; it loads no bot framework."""

import asyncio

from bot.channels.contract import ChannelContext
from runtime.channels import discover_channels
from runtime.container import Container
from runtime.contents import ContentRenderer
from runtime.outline import Lean
from runtime.processes.frame import process
from runtime.sender import run_sender
from runtime.senders import open_senders


async def serve(lean: Lean) -> None:
    """Send until told to stop; what is under way is finished."""
    async with process("sender", lean.settings, lean.subscriptions) as (container, stop):
        await send(container, stop)


async def send(container: Container, stop: asyncio.Event) -> None:
    """Run the bulk sender over every channel."""
    context = ChannelContext(container.settings, container.sessions, container.valkey)
    async with open_senders(discover_channels(), context, container.measures.process) as senders:
        await run_sender(container.sessions, container.valkey, senders, ContentRenderer(), stop)
