"""`siyu poller`: fetches updates of bots without a webhook and holds their conversations."""

import asyncio

from runtime.conversing import open_conversing, poll, sweep, tell_providers
from runtime.processes.frame import process


async def serve() -> None:
    """Poll until told to stop; one poller per bot holds its lock, others wait for it."""
    async with process("poller") as (container, stop), open_conversing(container) as conversing:
        await tell_providers(conversing)
        await asyncio.gather(poll(conversing, stop), sweep(conversing, stop))
