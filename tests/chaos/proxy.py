"""A TCP proxy that misbehaves on command, to stand between our processes and PostgreSQL, Valkey or the Bot API."""

import asyncio
import socket
import struct
from enum import StrEnum
from typing import Self
from urllib.parse import urlsplit, urlunsplit

_HOST = "127.0.0.1"
_PIECE = 65536
_BACKLOG = 512
_NO_LINGER = struct.pack("ii", 1, 0)


class Manner(StrEnum):
    """What becomes of connections."""

    PASS = "pass"
    REFUSE = "refuse"
    """Nobody listens, and the open ones are reset."""
    RESET = "reset"
    """Each is accepted and reset at once, the open ones too."""
    BLACKHOLE = "blackhole"
    """They stay open and nothing passes; what was held up passes when it ends."""
    HALF_CLOSE = "half_close"
    """The server seems to say goodbye; what the client says still passes."""


class ChaosProxy:
    """Passes bytes between whoever connects and `target`; use it as an async context manager."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.target = target
        """Where new connections lead; may be changed while it runs."""
        self.latency = 0.0
        """Seconds that each piece is held back on its way."""
        self.manner = Manner.PASS
        self.accepted = 0
        self._flows = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        # Bound and never listening: it keeps the port ours while connections are to be refused.
        self._keeper = _bound(0)

    @property
    def port(self) -> int:
        """The port that it answers on, the same for as long as it lives."""
        return int(self._keeper.getsockname()[1])

    def address(self, url: str) -> str:
        """`url` with this proxy's host and port in place of the server's own."""
        parts = urlsplit(url)
        user = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
        return urlunsplit(parts._replace(netloc=f"{user}{_HOST}:{self.port}"))

    async def switch(self, manner: Manner) -> None:
        """Behave so from now on, towards open connections too."""
        self.manner = manner
        if manner is Manner.BLACKHOLE:
            self._flows.clear()
        else:
            self._flows.set()
        if manner in {Manner.REFUSE, Manner.RESET}:
            self.reset()
        if manner is Manner.HALF_CLOSE:
            for writer in self._writers:
                _say_goodbye(writer)
        await (self._close_door() if manner is Manner.REFUSE else self._open_door())

    def reset(self) -> None:
        """Cut every open connection with a reset; new ones are welcome as before."""
        for writer in list(self._writers):
            _reset(writer)

    async def __aenter__(self) -> Self:
        await self.switch(Manner.PASS)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._close_door()
        self.reset()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._keeper.close()

    async def _open_door(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, sock=_bound(self.port), backlog=_BACKLOG)

    async def _close_door(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            await self._serve(reader, writer)
        except (OSError, asyncio.CancelledError):  # cancelled by the end of the proxy alone
            _reset(writer)
        finally:
            self._tasks.discard(task)
            self._writers.discard(writer)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.manner is Manner.RESET:
            _reset(writer)
            return
        await self._flows.wait()
        far_reader, far_writer = await asyncio.open_connection(*self.target)
        if self.manner is Manner.HALF_CLOSE:
            _say_goodbye(writer)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, far_writer))
                group.create_task(self._pump(far_reader, writer))
        except* OSError:
            _reset(writer)
        finally:
            _reset(far_writer)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(_PIECE):
            await self._flows.wait()
            if self.latency:
                await asyncio.sleep(self.latency)
            if not _has_said_goodbye(writer):
                writer.write(piece)
                await writer.drain()
        _say_goodbye(writer)


def _bound(port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    made.bind((_HOST, port))
    return made


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection with RST, as a machine does that knows nothing of it."""
    taken = writer.get_extra_info("socket")
    if taken is not None and taken.fileno() >= 0:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
    writer.transport.abort()


def _say_goodbye(writer: asyncio.StreamWriter) -> None:
    if not _has_said_goodbye(writer):
        writer.write_eof()


def _has_said_goodbye(writer: asyncio.StreamWriter) -> bool:
    return writer.is_closing() or bool(getattr(writer.transport, "_eof", False))
