"""/metrics and /livez of processes that have no HTTP of their own, on an internal port; no web framework is loaded."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

if TYPE_CHECKING:
    from crm.config.settings import MetricsSettings


_LONGEST_REQUEST = 8 * 1024
_PATIENCE = 10.0
Refresh = Callable[[], Awaitable[None]]


@asynccontextmanager
async def showing(
    settings: "MetricsSettings | None", registry: CollectorRegistry, refresh: Refresh
) -> AsyncIterator[tuple[str, int] | None]:
    """Serve while the block runs; gives the address, or None without settings or when no port is set."""
    if settings is None or not settings.port:
        yield None
        return
    desk = _Desk(registry, refresh)
    server = await asyncio.start_server(desk.serve, settings.host, settings.port, limit=_LONGEST_REQUEST)
    try:
        host, port = server.sockets[0].getsockname()[:2]
        yield host, port
    finally:
        server.close()
        await server.wait_closed()


class _Desk:
    def __init__(self, registry: CollectorRegistry, refresh: Refresh) -> None:
        self._registry = registry
        self._refresh = refresh

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, one answer, and the connection ends."""
        try:
            async with asyncio.timeout(_PATIENCE):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(await self._answer(head))
                await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError, TimeoutError):
            pass
        finally:
            writer.close()

    async def _answer(self, head: bytes) -> bytes:
        method, _, rest = head.partition(b"\r\n")[0].partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        if method != b"GET":
            return _response("405 Method Not Allowed", "text/plain", b"")
        if path == b"/livez":
            return _response("200 OK", "application/json", b'{"status":"ok"}')
        if path != b"/metrics":
            return _response("404 Not Found", "text/plain", b"")
        await self._refresh()
        return _response("200 OK", CONTENT_TYPE_LATEST, generate_latest(self._registry))


def _response(status: str, kind: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
    return head.encode() + body
