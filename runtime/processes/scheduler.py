"""`siyu scheduler`: says when to look for what is due."""

from runtime.processes.frame import process
from runtime.settled import read_settings
from runtime.ticks import discover_ticks, run_ticks


async def serve() -> None:
    """Tick until told to stop."""
    async with process("scheduler", read_settings()) as (container, stop):
        await run_ticks(container.sessions, discover_ticks(), stop)
