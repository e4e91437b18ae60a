"""One connected visitor: what comes is stored before it is acknowledged."""

from uuid import UUID

from crm.webchat import service as webchat
from crm.webchat.types import ChatMessage

from . import inbound
from .desk import Desk
from .frames import AskedHistory, BadFrameError, Frame, Hello, Said, Seen, Tapped
from .greeting import Greeted
from .hub import Connection
from .receipts import Receipts
from .views import message_view


class Talk:
    """Answers the frames of one connection after its welcome."""

    def __init__(self, desk: Desk, greeted: Greeted, connection: Connection) -> None:
        self._desk = desk
        self._visitor = greeted.visitor
        self._connection = connection
        self._receipts = Receipts(desk.sessions, greeted.visitor)

    async def open(self, greeted: Greeted) -> None:
        """Welcome the visitor; strangers and deep links are handed to the conversation."""
        self._connection.push(greeted.welcome)
        if greeted.opening is not None:
            key, payload = greeted.opening
            await self._take_in(key, payload)
        await self._receipts.settle()

    async def take(self, frame: Frame) -> None:
        """Do what the frame asks for. Raises BadFrameError."""
        match frame:
            case Said():
                message = await self._written(frame.id, frame.text)
                await self._take_in(self._key(frame.id), inbound.said(self._visitor.address, frame))
                self._acknowledge(frame.id, message.id)
                await self._desk.hub.tell(message, origin=self._connection.id)
            case Tapped():
                await self._tapped(frame)
            case AskedHistory(before):
                await self._history(before)
            case Seen(message_id):
                await self._receipts.seen(message_id)
            case Hello():
                raise BadFrameError("unknown_frame")

    def close(self) -> None:
        """The page is gone."""
        self._receipts.close()

    async def _tapped(self, frame: Tapped) -> None:
        label = inbound.menu_label(frame)
        # A key of the menu speaks for the visitor, as it does in other chats; a button below a message does not.
        message = None if label is None else await self._written(frame.id, label, is_here=False)
        await self._take_in(self._key(frame.id), inbound.tapped(self._visitor.address, frame))
        self._acknowledge(frame.id, None)
        if message is not None:
            await self._desk.hub.tell(message)

    async def _written(self, frame_id: str, text: str, *, is_here: bool = True) -> ChatMessage:
        async with self._desk.sessions.begin() as session:
            message = await webchat.store_written(session, self._visitor, text, frame_id=frame_id)
        if is_here:
            self._connection.note_shown(message)
        return message

    async def _history(self, before: UUID | None) -> None:
        async with self._desk.sessions() as session:
            found = await webchat.history(session, self._visitor, before=before)
        for message in found.messages:
            self._connection.note_shown(message)
        views = [message_view(self._desk.vault, message) for message in found.messages]
        self._connection.push({"type": "history", "messages": views, "more": found.has_more})

    async def _take_in(self, key: str, payload: bytes) -> None:
        visitor = self._visitor
        await self._desk.intake(bot_id=visitor.bot_id, update_key=key, chat_key=visitor.address, payload=payload)

    def _key(self, frame_id: str) -> str:
        return f"{self._visitor.address}:{frame_id}"

    def _acknowledge(self, frame_id: str, message_id: UUID | None) -> None:
        self._connection.push(
            {"type": "ack", "id": frame_id, "message_id": None if message_id is None else str(message_id)}
        )
