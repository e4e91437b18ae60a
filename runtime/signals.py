"""How a process is told to stop: SIGTERM or Ctrl-C once to finish in order, twice to leave at once."""

import asyncio
import os
import signal


def stop_on_signals() -> asyncio.Event:
    """An event that is set by the first signal; the second one ends the process."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def asked() -> None:
        if stop.is_set():
            os._exit(130)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked)
    return stop
