"""How late the event loop is: a process whose loop is late answers nobody in time."""

import asyncio
from collections import deque

from prometheus_client import Gauge

from crm.kit.clock import monotonic
from runtime.loops import wait

_STEP = 0.25
_KEPT = 20


async def watch_loop(gauge: Gauge, stop: asyncio.Event) -> None:
    """Until `stop`, keep the longest delay of the last five seconds in `gauge`."""
    late: deque[float] = deque(maxlen=_KEPT)
    while not stop.is_set():
        started = monotonic()
        await wait(stop, _STEP)
        if not stop.is_set():
            late.append(max(0.0, monotonic() - started - _STEP))
            gauge.set(max(late))
