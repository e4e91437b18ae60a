"""Serving an ASGI application inside a process whose signals and socket are its own."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.types import ASGIApp

from crm.config.settings import HttpSettings

_DRAIN_SECONDS = 15
_BACKLOG = 1024
_MOST_FRAME_BYTES = 64 * 1024


class _Server(uvicorn.Server):
    """Leaves the signal handlers to the process, and says when it is ready."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ready = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Do nothing."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening and say so."""
        await super().startup(sockets)
        self._ready.set()

    async def wait_until_ready(self, task: "asyncio.Task[None]") -> None:
        """Return when requests are answered. Raises what kept the server from starting."""
        ready = asyncio.create_task(self._ready.wait())
        await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if task.done():
            await task


def listen(settings: HttpSettings) -> socket.socket:
    """The listening socket. Raises OSError, with the port as its file name, when the port is taken."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # Named TCP outright, or asyncio leaves Nagle's algorithm on and small answers wait.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        error.filename = f"Port {settings.port}"
        raise
    return listener


@asynccontextmanager
async def serving(app: ASGIApp, listener: socket.socket, settings: HttpSettings) -> AsyncIterator[None]:
    """Serve while the block runs; requests under way are finished in the end."""
    config = uvicorn.Config(
        app,
        http="httptools",
        ws="websockets-sansio",
        ws_max_size=_MOST_FRAME_BYTES,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=_DRAIN_SECONDS,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve([listener]))
    try:
        await server.wait_until_ready(task)
        yield
    finally:
        server.should_exit = True
        await task
        listener.close()
