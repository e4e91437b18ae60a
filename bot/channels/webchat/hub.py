"""The pages that are connected to this process, told at once what is new for them.

Notes of other processes come through Valkey. While it is away the database is asked every few seconds, and now and
then in any case, because a note may be lost.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

import asyncpg
import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from crm.db.session import Sessions, vault
from crm.kit.ids import token
from crm.webchat import service as webchat
from crm.webchat.types import ChatMessage, Visitor

from . import notes
from .courtesy import Courtesy
from .limits import Limits
from .views import menu_view, message_view

_QUEUE = 200
_REMEMBERED = 500
_VISITORS_A_QUERY = 1000
_OVERLAP = 10.0
"""Seconds that are asked again, for what was committed later than it was written."""
DATABASE_AWAY = (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)
log = structlog.get_logger(__name__)


class Connection:
    """One page of one visitor: frames that wait to be written, and what it has got already."""

    def __init__(self, visitor: Visitor) -> None:
        self.id = token(size=9)
        self.visitor = visitor
        self.frames: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue(_QUEUE)
        self._shown: OrderedDict[UUID, int] = OrderedDict()

    def push(self, frame: dict[str, Any] | None) -> None:
        """Hand over a frame; None, or a page that does not read what it gets, ends the connection."""
        try:
            self.frames.put_nowait(frame)
        except asyncio.QueueFull:
            while not self.frames.empty():
                self.frames.get_nowait()
            self.frames.put_nowait(None)

    def note_shown(self, message: ChatMessage) -> bool:
        """Remember that the page has this message; False if it had it before, as it is now."""
        if self._shown.get(message.id, -1) >= message.revision:
            return False
        self._shown[message.id] = message.revision
        self._shown.move_to_end(message.id)
        while len(self._shown) > _REMEMBERED:
            self._shown.popitem(last=False)
        return True


class Hub:
    """Knows the connections; its two tasks run while there are any."""

    def __init__(self, sessions: Sessions, courtesy: Courtesy, limits: Limits) -> None:
        self._sessions = sessions
        self._courtesy = courtesy
        self._limits = limits
        self._by_visitor: dict[Visitor, set[Connection]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._is_live = False
        self.pages = 0
        """Open connections, those before their hello too."""

    def join(self, connection: Connection) -> None:
        """From now on this connection is told what is new."""
        self._by_visitor.setdefault(connection.visitor, set()).add(connection)
        if not self._tasks:
            self._tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._poll())]

    async def leave(self, connection: Connection) -> None:
        """The page is gone."""
        own = self._by_visitor.get(connection.visitor, set())
        if connection not in own:
            return
        own.discard(connection)
        if not own:
            del self._by_visitor[connection.visitor]
        if not self._by_visitor:
            tasks, self._tasks, self._is_live = self._tasks, [], False
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def tell(self, message: ChatMessage, *, origin: str | None = None) -> None:
        """Something new of a visitor: to their pages here, and by a note to those of other processes."""
        async with self._sessions() as session:
            self._show(self._views(session, [message]), origin)
        await notes.publish(self._courtesy, message, origin=origin)

    async def _listen(self) -> None:
        while True:
            try:
                async with self._courtesy.valkey.pubsub() as channel:
                    await channel.subscribe(notes.CHANNEL)
                    self._is_live = True
                    while True:
                        found = await channel.get_message(ignore_subscribe_messages=True, timeout=5)
                        if found is not None:
                            await self._noted(found["data"])
            except (RedisError, OSError, TimeoutError) as error:
                if self._is_live:
                    log.warning("notes_lost", error=type(error).__name__)
            finally:
                self._is_live = False
            await asyncio.sleep(1)

    async def _noted(self, data: bytes) -> None:
        note = notes.read(data)
        if note is None or note.visitor not in self._by_visitor:
            return
        with suppress(*DATABASE_AWAY):
            async with self._sessions() as session:
                message = await webchat.find(session, note.visitor, note.message_id)
                if message is not None:
                    self._show(self._views(session, [message]), note.origin)

    async def _poll(self) -> None:
        while True:
            limits = self._limits
            await asyncio.sleep(limits.poll_seconds)
            pause = 0.0
            while self._is_live and pause < limits.calm_poll_seconds - limits.poll_seconds:
                await asyncio.sleep(limits.poll_seconds)
                pause += limits.poll_seconds
            with suppress(*DATABASE_AWAY):
                await self._catch_up(limits.poll_seconds + pause + _OVERLAP)

    async def _catch_up(self, seconds: float) -> None:
        visitors = list(self._by_visitor)
        for start in range(0, len(visitors), _VISITORS_A_QUERY):
            some = visitors[start : start + _VISITORS_A_QUERY]
            async with self._sessions() as session:
                self._show(self._views(session, await webchat.changed_lately(session, some, seconds=seconds)), None)

    def _views(self, session: Any, messages: Sequence[ChatMessage]) -> list[tuple[ChatMessage, dict[str, Any]]]:
        safe = vault(session)
        return [(message, message_view(safe, message)) for message in messages]

    def _show(self, views: Sequence[tuple[ChatMessage, dict[str, Any]]], origin: str | None) -> None:
        for message, view in views:
            kind = "edit" if message.revision else "message"
            for connection in self._by_visitor.get(message.visitor, ()):
                if connection.id == origin or not connection.note_shown(message):
                    continue
                connection.push({"type": kind, "message": view})
                if message.menu is not None:
                    connection.push({"type": "menu", "menu": menu_view(message.menu)})
