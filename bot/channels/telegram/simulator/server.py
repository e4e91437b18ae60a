"""Serving a simulator on a port of its own with uvicorn."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import uvicorn

from .app import SimulatorApp, create_simulator_app
from .config import SimulatorConfig
from .core import Simulator

_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class RunningSimulator:
    """A simulator that answers at `base_url`."""

    base_url: str
    simulator: Simulator


class _Server(uvicorn.Server):
    """A server inside another program, whose signals stay with that program."""

    def __init__(self, app: SimulatorApp) -> None:
        super().__init__(_settings(app))
        self._app = app
        self._ready = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signal handlers alone."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening and say so."""
        await super().startup(sockets)
        self._ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End what waits for updates or changes, then stop."""
        self._app.simulator.hang_up()
        await super().shutdown(sockets)

    async def wait_until_ready(self, serving: "asyncio.Task[None]") -> None:
        """Return when requests are answered; raises OSError when that never happens."""
        ready = asyncio.create_task(self._ready.wait())
        await asyncio.wait({serving, ready}, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if not self.started:
            raise OSError("the simulator could not start")


@asynccontextmanager
async def running_simulator(config: SimulatorConfig, *, port: int = 0) -> AsyncIterator[RunningSimulator]:
    """Serve a simulator on the loopback address while the block runs; port 0 takes any free port.

    Raises OSError when the port is taken.
    """
    # Named TCP outright, or asyncio leaves Nagle's algorithm on and each answer takes 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((_HOST, port))
        app = create_simulator_app(config)
        server = _Server(app)
        serving = asyncio.create_task(server.serve([listener]))
        try:
            await server.wait_until_ready(serving)
            yield RunningSimulator(f"http://{_HOST}:{listener.getsockname()[1]}", app.simulator)
        finally:
            server.should_exit = True
            await serving
    finally:
        listener.close()


def _settings(app: SimulatorApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="on",
        http="httptools",
        timeout_keep_alive=75,
        timeout_graceful_shutdown=2,
    )
