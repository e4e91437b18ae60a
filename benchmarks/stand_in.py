"""A Bot API that takes every message, on a raw protocol, so that it is never the bottleneck.

Run as a process of its own: `python -m benchmarks.stand_in` prints its port and serves until it is ended.
"""

import asyncio
import contextlib
import re
import sys
from collections.abc import AsyncIterator
from typing import cast

import uvloop

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_USUAL = b"\r\nContent-Length: "
_HEAD_END = b"\r\n\r\n"
_BODY = b'{"ok":true,"result":{"message_id":%d,"date":1760000000,"chat":{"id":1,"type":"private"},"text":"x"}}'
_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"


class StandIn(asyncio.Protocol):
    """Answers each complete request at once; a request that comes in one piece is not copied."""

    taken = 0

    def __init__(self) -> None:
        self._buffer = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        data = self._buffer + data if self._buffer else data
        while data and (size := complete_size(data)) is not None:
            data = data[size:]
            self._answer()
        self._buffer = data

    def _answer(self) -> None:
        StandIn.taken += 1
        body = _BODY % StandIn.taken
        assert self._transport is not None
        self._transport.write(_ANSWER % (len(body), body))


def complete_size(data: bytes) -> int | None:
    """Bytes of the first request; None while it is not complete."""
    end = data.find(_HEAD_END)
    if end < 0:
        return None
    at = data.find(_USUAL, 0, end)
    if at >= 0:
        length = int(data[at + len(_USUAL) : data.find(b"\r", at + len(_USUAL))])
    else:
        found = _LENGTH.search(data, 0, end)
        length = int(found[1]) if found else 0
    size = end + len(_HEAD_END) + length
    return size if len(data) >= size else None


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(StandIn, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


@contextlib.asynccontextmanager
async def stand_in() -> AsyncIterator[str]:
    """The address of a stand-in in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.stand_in", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    port = int(await process.stdout.readline())
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


if __name__ == "__main__":
    uvloop.run(_serve())
