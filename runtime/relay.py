"""The relay of events as loops: several hands, a short rest when there is nothing to do."""

import asyncio

from crm.db.session import Sessions
from crm.events.relay import relay_once
from runtime.loops import repeat

_REST_SECONDS = 0.25


async def run_relay(sessions: Sessions, stop: asyncio.Event, *, hands: int = 2) -> None:
    """Hand recorded events to their subscribers until `stop`."""
    async with asyncio.TaskGroup() as group:
        for number in range(hands):
            group.create_task(repeat(f"relay {number}", lambda: relay_once(sessions), stop, rest=_REST_SECONDS))
