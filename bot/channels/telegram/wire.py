"""HTTP/1.1 for small exchanges in great number: kept-alive connections, one request in flight on each.

A broadcast makes one exchange per recipient. A general client builds request, response, payload, timer and stream
objects for each, four to six times the work of writing the bytes and having httptools parse the answer, which is all
that happens here. No redirects, cookies, compression or proxies; uploads go another way.
"""

import asyncio
import functools
import socket
import ssl
from collections import deque
from typing import cast

import httptools
from yarl import URL

MOST_BYTES = 32 * 1024 * 1024
"""Of an answer; a server that says more is not believed."""
_MOST_HEAD = 64 * 1024
_MOST_CONNECTIONS = 100
_KEEP_ALIVE = 30.0
_NEVER = float("inf")
_FRAMED = frozenset({b"content-length", b"transfer-encoding"})
_FIRST_FINAL, _SWITCHING = 200, 101


class NotConnected(Exception):
    """No connection could be had: nothing was written."""


class NoAnswer(Exception):
    """The connection failed once the request was, or may have been, written."""


class Connection(asyncio.Protocol):
    """One connection; whoever holds it makes one exchange at a time."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._body: list[bytes] = []
        self._size = 0
        self._has_head = self._is_framed = False
        self._timer: asyncio.TimerHandle | None = None
        self._looks_at = self._patience = 0.0
        self._gives_up_at = _NEVER
        self.is_usable = False
        """Open, in step with the server, and allowed to be kept."""
        self.idle_since = 0.0

    async def exchange(self, request: bytes, read_timeout: float) -> tuple[int, bytes]:
        """Status and body of the answer; `read_timeout` in seconds between two pieces of it. Raises NoAnswer."""
        assert self._transport is not None
        answer: asyncio.Future[tuple[int, bytes]] = self._loop.create_future()
        self._answer = answer
        self._body, self._size, self._has_head, self._is_framed = [], 0, False, False
        self._patience = read_timeout
        self._gives_up_at = self._loop.time() + read_timeout
        self._set_timer()
        self._transport.write(request)
        try:
            return await answer
        except BaseException:
            # What was asked for may still come; it must not answer the next request.
            self.close()
            raise
        finally:
            self._gives_up_at = _NEVER
            self._answer = None

    def close(self) -> None:
        """Cut the connection."""
        self.is_usable = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast("asyncio.Transport", transport)
        self.is_usable = True

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        self._size += len(data)
        self._gives_up_at = self._loop.time() + self._patience
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(f"not an answer of HTTP ({type(error).__name__})")
        else:
            if self._size > MOST_BYTES or (self._size > _MOST_HEAD and not self._has_head):
                self._fail("the answer is too long")

    def eof_received(self) -> bool:
        """See asyncio.Protocol."""
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio.Protocol. An answer without a length ends here."""
        self.is_usable = False
        self._cancel_timer()
        if exc is None and self._has_head and not self._is_framed:
            self._succeed()
        self._fail("the connection was closed" if exc is None else type(exc).__name__)

    def on_message_begin(self) -> None:
        """See httptools. What comes unasked must never be taken for the answer to the next request."""
        if self._answer is None or self._answer.done():
            self._fail("the server spoke unasked")

    def on_header(self, name: bytes, value: bytes) -> None:
        """See httptools."""
        del value
        if name.lower() in _FRAMED:
            self._is_framed = True

    def on_headers_complete(self) -> None:
        """See httptools."""
        self._has_head = self._parser.get_status_code() >= _FIRST_FINAL

    def on_body(self, body: bytes) -> None:
        """See httptools."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """See httptools. Interim answers (1xx) are passed over."""
        if self._parser.get_status_code() == _SWITCHING:
            self._fail("the server changed the protocol")
        elif self._has_head:
            self.is_usable = self.is_usable and self._parser.should_keep_alive()
            self._succeed()

    def _succeed(self) -> None:
        if self._answer is not None and not self._answer.done():
            body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
            self._answer.set_result((self._parser.get_status_code(), body))

    def _fail(self, detail: str) -> None:
        self.close()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(NoAnswer(detail))

    def _watch(self) -> None:
        """Give up once nothing came for as long as the caller is patient."""
        self._timer = None
        if self._gives_up_at <= self._loop.time():
            self._fail("no answer in time")
        elif self._gives_up_at != _NEVER:
            self._set_timer()

    def _set_timer(self) -> None:
        """Look again at the latest when patience ends.

        The timer outlives the exchange: one that is set and cancelled each time costs as much as writing the request.
        """
        if self._timer is None or self._looks_at > self._gives_up_at:
            self._cancel_timer()
            self._looks_at = self._gives_up_at
            self._timer = self._loop.call_at(self._looks_at, self._watch)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Pool:
    """Connections to one server, at most a hundred."""

    def __init__(self, server: URL, *, connect_timeout: float) -> None:
        """`connect_timeout` in seconds, also for waiting for a free connection. Raises ValueError for no address."""
        if server.scheme not in {"http", "https"} or not server.raw_host or server.port is None:
            message = "the address of the server must begin with http:// or https://"
            raise ValueError(message)
        self._host, self._port = server.raw_host, server.port
        self._is_secure = server.scheme == "https"
        self._connect_timeout = connect_timeout
        self._idle: deque[Connection] = deque()
        self._in_use = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._is_closed = False

    async def exchange(self, request: bytes, read_timeout: float) -> tuple[int, bytes]:
        """One exchange on a free connection. Raises NotConnected, NoAnswer."""
        if self._in_use >= _MOST_CONNECTIONS:
            await self._wait_for_place()
        else:
            self._in_use += 1
        try:
            connection = self._take_idle() or await self._connect()
            try:
                return await connection.exchange(request, read_timeout)
            finally:
                self._put_back(connection)
        finally:
            self._leave_place()

    def close(self) -> None:
        """Close what is idle; what is in use is closed after its exchange."""
        self._is_closed = True
        while self._idle:
            self._idle.pop().close()

    async def _wait_for_place(self) -> None:
        """Return once another exchange has handed its place over."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(self._connect_timeout):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self._leave_place()
            if isinstance(error, TimeoutError):
                raise NotConnected("all connections are in use") from None
            raise

    def _leave_place(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._in_use -= 1

    def _take_idle(self) -> Connection | None:
        """The connection used last; those that waited too long may be closed at the other end any moment."""
        oldest = asyncio.get_running_loop().time() - _KEEP_ALIVE
        while self._idle and self._idle[0].idle_since < oldest:
            self._idle.popleft().close()
        while self._idle:
            connection = self._idle.pop()
            if connection.is_usable:
                return connection
        return None

    def _put_back(self, connection: Connection) -> None:
        if connection.is_usable and not self._is_closed:
            connection.idle_since = asyncio.get_running_loop().time()
            self._idle.append(connection)
        else:
            connection.close()

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        secure = _secure() if self._is_secure else None
        name = self._host if secure else None
        try:
            async with asyncio.timeout(self._connect_timeout):
                found = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
                return await self._connect_to_first([str(info[4][0]) for info in found], secure, name)
        except (OSError, ValueError) as error:
            raise NotConnected(type(error).__name__) from None

    async def _connect_to_first(
        self, addresses: list[str], secure: ssl.SSLContext | None, name: str | None
    ) -> Connection:
        """The first address that answers; each is given its share of the time, as one network may be a black hole."""
        loop = asyncio.get_running_loop()
        trouble: Exception = OSError("the name has no address")
        for address in addresses:
            try:
                async with asyncio.timeout(self._connect_timeout / len(addresses)):
                    opened = await loop.create_connection(
                        Connection, address, self._port, ssl=secure, server_hostname=name
                    )
                    return opened[1]
            except OSError as error:
                trouble = error
        raise trouble


@functools.cache
def _secure() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
