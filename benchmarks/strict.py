"""A Bot API with a strict limit: more than so many messages within any one second are answered 429.

Run as a process of its own: `python -m benchmarks.strict LIMIT` prints its port; `GET /seen` tells what it saw.
"""

import asyncio
import contextlib
import sys
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import cast

import aiohttp
import orjson
import uvloop

from benchmarks.stand_in import complete_size

_TAKEN = b'{"ok":true,"result":{"message_id":%d,"date":1760000000,"chat":{"id":1,"type":"private"},"text":"x"}}'
_REFUSED = b'{"ok":false,"error_code":429,"description":"Too Many Requests","parameters":{"retry_after":1}}'
_ANSWER = b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"


@dataclass(frozen=True)
class Seen:
    """What the server saw."""

    taken: int
    refused: int
    seconds: float
    """From the first message that it took to the last one."""


class Window:
    """The messages of the last second."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.taken = self.refused = 0
        self.first = self.last = 0.0
        self._lately: deque[float] = deque()

    def admit(self, now: float) -> bool:
        """Whether one more may be taken."""
        while self._lately and self._lately[0] <= now - 1:
            self._lately.popleft()
        if len(self._lately) >= self.limit:
            self.refused += 1
            return False
        self._lately.append(now)
        self.taken += 1
        self.first, self.last = self.first or now, now
        return True


class Strict(asyncio.Protocol):
    """Judges each complete request at once."""

    def __init__(self, window: Window) -> None:
        self._window = window
        self._buffer = b""
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        data = self._buffer + data
        while data and (size := complete_size(data)) is not None:
            self._answer(data[:size])
            data = data[size:]
        self._buffer = data

    def _answer(self, request: bytes) -> None:
        window, status = self._window, 200
        if request.startswith(b"GET "):
            body = orjson.dumps([window.taken, window.refused, window.last - window.first])
        elif window.admit(self._loop.time()):
            body = _TAKEN % window.taken
        else:
            status, body = 429, _REFUSED
        assert self._transport is not None
        self._transport.write(_ANSWER % (status, len(body), body))


async def seen(base: str) -> Seen:
    """What the server at this address saw so far."""
    async with aiohttp.ClientSession() as http, http.get(f"{base}/seen") as answer:
        return Seen(*orjson.loads(await answer.read()))


@contextlib.asynccontextmanager
async def strict_server(limit: int) -> AsyncIterator[str]:
    """The address of such a server in a process of its own; `limit` in messages a second."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.strict", str(limit), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    port = int(await process.stdout.readline())
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def _serve(limit: int) -> None:
    window = Window(limit)
    server = await asyncio.get_running_loop().create_server(lambda: Strict(window), "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
