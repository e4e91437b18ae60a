"""Cutting a connection the hard way, which HTTP frameworks do not offer."""

import asyncio
import socket
import struct

from starlette.types import Receive, Scope, Send

_RESET_AT_CLOSE = struct.pack("ii", 1, 0)


def abort_connection(send: Send) -> bool:
    """Reset the connection behind a server's own `send`; False when it cannot be reached."""
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if not isinstance(transport, asyncio.WriteTransport):
        return False
    raw = transport.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
    transport.abort()
    return True


class CutConnection:
    """A response that never comes: wait, then reset the connection."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hang until the time is over or the caller has gone, then cut."""
        if self._seconds > 0:
            gone = asyncio.ensure_future(_until_gone(receive))
            await asyncio.wait({gone}, timeout=self._seconds)
            gone.cancel()
        if not abort_connection(scope.get("siyu.send", send)):
            # Without access to the socket, an answer that breaks off has the same meaning.
            headers = [(b"content-length", b"1000000")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue
