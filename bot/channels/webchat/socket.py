"""The WebSocket of the page: one hello, then frames both ways until one side goes."""

import asyncio
from contextlib import suppress
from typing import Any

import structlog
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from crm.bots.types import Bot
from crm.brand import service as brands
from crm.kit.errors import DomainError

from . import frames
from .desk import Desk
from .frames import BadFrameError, Hello
from .greeting import Greeted, TooManyVisitorsError, greet
from .hub import DATABASE_AWAY, Connection
from .limits import Bucket
from .policy import is_own, may_embed
from .setup import served_bot
from .talk import Talk
from .tokens import TokenExpiredError, TokenInvalidError
from .views import error_view

_REFUSED, _TRY_AGAIN, _FAILED = 1008, 1013, 1011
_MOST_FAULTS = 20
_WAIT_WHEN_TOO_MANY = 2.0
_CODES = {TokenInvalidError: "token_invalid", TokenExpiredError: "token_expired", TooManyVisitorsError: "too_many"}
log = structlog.get_logger(__name__)


async def serve(desk: Desk, websocket: WebSocket) -> None:
    """Serve one page from its handshake to its end; nothing that it sends is an error of ours."""
    try:
        bot = await _admitted(desk, websocket)
        if bot is None:
            await websocket.close(_REFUSED)
            return
        await websocket.accept()
        desk.hub.pages += 1
        try:
            await _Page(desk, bot, websocket).run()
        finally:
            desk.hub.pages -= 1
    except (WebSocketDisconnect, RuntimeError):
        return  # the page went while it was written to
    except DATABASE_AWAY as error:
        log.warning("chat_unavailable", error=type(error).__name__)
        await _close(websocket, _FAILED)


async def _admitted(desk: Desk, websocket: WebSocket) -> Bot | None:
    """The bot that the page may talk with: pages of our own and of origins that the brand allows."""
    origin, host = websocket.headers.get("origin"), websocket.headers.get("host")
    async with desk.sessions() as session:
        if not is_own(origin, host, desk.public_url) and not may_embed(await brands.get(session), origin):
            return None
        return await served_bot(session, websocket.query_params.get("bot"))


class _Page:
    def __init__(self, desk: Desk, bot: Bot, websocket: WebSocket) -> None:
        self._desk = desk
        self._bot = bot
        self._websocket = websocket
        self._network = websocket.client.host if websocket.client else "unknown"
        self._agent = websocket.headers.get("user-agent", "")
        self._locale = "en"
        self._faults = 0

    async def run(self) -> None:
        """Hello, then frames both ways."""
        greeted = await self._greeted()
        if greeted is None:
            return
        self._locale = greeted.locale
        connection = Connection(greeted.visitor)
        talk = Talk(self._desk, greeted, connection)
        self._desk.hub.join(connection)
        writing = asyncio.create_task(self._write(connection))
        reading = asyncio.create_task(self._converse(talk, greeted, connection))
        try:
            await asyncio.wait({writing, reading}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            talk.close()
            await self._desk.hub.leave(connection)
            for task in (reading, writing):
                task.cancel()
            await asyncio.gather(reading, writing, return_exceptions=True)
            await _close(self._websocket, _TRY_AGAIN)

    async def _greeted(self) -> Greeted | None:
        """The visitor behind the first frame; None when the connection was ended.

        A token that is void is answered, and the page greets again on a connection of its own.
        """
        try:
            await self._admit()
            return await greet(self._desk, self._bot, await self._hello(), self._network, self._agent)
        except (TokenInvalidError, TokenExpiredError, TooManyVisitorsError) as refused:
            code = _CODES[type(refused)]
        except BadFrameError as bad:
            code = bad.code
        await self._websocket.send_json(error_view(code, self._locale))
        await _close(self._websocket, _TRY_AGAIN)
        return None

    async def _admit(self) -> None:
        desk, limits = self._desk, self._desk.limits
        if desk.hub.pages > limits.connections:
            raise BadFrameError("busy")
        if not await desk.counters.allows(f"hellos:{self._network}", limits.hellos):
            raise BadFrameError("too_many")

    async def _hello(self) -> Hello:
        try:
            async with asyncio.timeout(self._desk.limits.hello_seconds):
                frame = frames.read(await self._receive())
        except TimeoutError as late:
            raise BadFrameError("hello_expected") from late
        if not isinstance(frame, Hello):
            raise BadFrameError("hello_expected")
        self._locale = frame.locale
        return frame

    async def _converse(self, talk: Talk, greeted: Greeted, connection: Connection) -> None:
        limits = self._desk.limits
        bucket = Bucket(limits.burst, limits.rate)
        try:
            await talk.open(greeted)
            while self._faults < _MOST_FAULTS:
                async with asyncio.timeout(limits.idle_seconds):
                    data = await self._receive()
                await asyncio.sleep(bucket.take())
                await self._slow_down(connection)
                await self._take(talk, data, connection)
        except (WebSocketDisconnect, TimeoutError):
            return
        except (DomainError, *DATABASE_AWAY) as error:
            log.warning("frame_not_stored", error=type(error).__name__)
            connection.push(error_view("unavailable", self._locale))
            connection.push(None)
            await asyncio.sleep(1)

    async def _take(self, talk: Talk, data: str | bytes | None, connection: Connection) -> None:
        try:
            await talk.take(frames.read(data))
        except BadFrameError as bad:
            self._faults += 1
            connection.push(error_view(bad.code, self._locale, bad.frame_id))

    async def _slow_down(self, connection: Connection) -> None:
        """Let those wait who send too much over several connections; nothing that they sent is lost."""
        visitor, limits = connection.visitor, self._desk.limits
        if not await self._desk.counters.allows(f"frames:{visitor.bot_id}:{visitor.address}", limits.frames):
            connection.push(error_view("too_many", self._locale))
            await asyncio.sleep(_WAIT_WHEN_TOO_MANY)

    async def _receive(self) -> str | bytes | None:
        message: Any = await self._websocket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code") or 1000)
        data: str | bytes | None = message.get("text") or message.get("bytes")
        return data

    async def _write(self, connection: Connection) -> None:
        while (frame := await connection.frames.get()) is not None:
            await self._websocket.send_json(frame)


async def _close(websocket: WebSocket, code: int) -> None:
    if websocket.application_state is WebSocketState.CONNECTED:
        with suppress(RuntimeError, WebSocketDisconnect):
            await websocket.close(code)
