"""`siyu poller`: fetches updates of bots without a webhook and holds their conversations."""

import asyncio

from runtime.conversing import open_conversing, poll, sweep, tell_providers
from runtime.processes.frame import process
from runtime.settled import read_settings


async def serve() -> None:
    """Poll until told to stop; one poller per bot holds its lock, others wait for it."""
    async with process("poller", read_settings()) as (container, stop), open_conversing(container) as conversing:
        await tell_providers(conversing, stop)
        await asyncio.gather(poll(conversing, stop), sweep(conversing, stop))
