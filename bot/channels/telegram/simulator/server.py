"""Serving a simulator on a port of its own with uvicorn."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import uvicorn

from .app import create_simulator_app
from .config import SimulatorConfig
from .core import Simulator


@dataclass(frozen=True, slots=True)
class RunningSimulator:
    """A simulator that answers at `base_url`."""

    base_url: str
    simulator: Simulator


@asynccontextmanager
async def running_simulator(
    config: SimulatorConfig, *, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[RunningSimulator]:
    """Serve a simulator while the block runs; port 0 takes any free port.

    Raises OSError when the port is taken.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        app = create_simulator_app(config)
        server = uvicorn.Server(_settings(app))
        serving = asyncio.create_task(server._serve([listener]))  # noqa: SLF001 - serve() would take the program's signals
        try:
            while not server.started and not serving.done():
                await asyncio.sleep(0.01)
            if serving.done():
                await serving
                raise OSError("the simulator could not start")
            shown = f"[{host}]" if ":" in host else host
            yield RunningSimulator(f"http://{shown}:{listener.getsockname()[1]}", app.simulator)
        finally:
            server.should_exit = True
            await serving
    finally:
        listener.close()


def _settings(app: object) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]  # uvicorn knows no protocol for an application object
        log_config=None,
        access_log=False,
        lifespan="on",
        http="httptools",
        timeout_keep_alive=75,
        timeout_graceful_shutdown=2,
    )
