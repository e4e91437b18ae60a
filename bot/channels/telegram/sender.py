"""Sending through Telegram: one lean sender for both lanes, without any bot framework."""

from uuid import UUID

import structlog

from bot.channels.contract import ChannelContext
from crm.deliveries.types import ContentRejected, InDoubt, Lane, NotAccepted, SendOutcome, Sent
from crm.media.errors import MediaNotFoundError
from crm.messages.types import Outbound

from .access import DATABASE_AWAY
from .answers import Answer
from .line import Line, open_line
from .manifest import NAME, TRAITS
from .outcomes import is_not_editable, is_not_modified, is_wrong_file, outcome_of
from .payloads import Payload, edit_payload, photo_payload, text_payload
from .pictures import Pictures

log = structlog.get_logger(__name__)


class TelegramSender:
    """Implements `crm.deliveries.types.ChannelSender`."""

    name = NAME
    traits = TRAITS

    def __init__(self, line: Line, pictures: Pictures) -> None:
        self._line = line
        self._pictures = pictures

    async def send(self, bot_id: int, address: str, message: Outbound, *, lane: Lane) -> SendOutcome:
        """Send, or edit the message that `edit_ref` names; a refused edit or file id leads to one more call."""
        try:
            if message.edit_ref is not None:
                outcome = await self._edit(bot_id, address, message, lane)
                if outcome is not None:
                    return outcome
            if message.photo_media_id is not None:
                return await self._send_photo(bot_id, address, message, message.photo_media_id, lane)
            return outcome_of(
                await self._line.call(bot_id, "sendMessage", _paid(text_payload(address, message), lane), pool=lane)
            )
        except Exception as error:
            log.exception("send_failed", bot_id=bot_id)
            return InDoubt(f"the sender failed: {type(error).__name__}")

    async def close(self) -> None:
        """Close all connections."""
        await self._line.close()

    async def _edit(self, bot_id: int, address: str, message: Outbound, lane: Lane) -> SendOutcome | None:
        payload = edit_payload(address, message)
        if payload is None:
            return None
        reply = await self._line.call(bot_id, "editMessageText", payload, pool=lane)
        if is_not_editable(reply):
            return None
        return Sent(message.edit_ref or "") if is_not_modified(reply) else outcome_of(reply)

    async def _send_photo(
        self, bot_id: int, address: str, message: Outbound, media_id: UUID, lane: Lane
    ) -> SendOutcome:
        payload = _paid(photo_payload(address, message), lane)
        try:
            file_id = await self._pictures.file_id(bot_id, media_id)
            if file_id is None:
                return await self._upload(bot_id, payload, media_id, lane)
            reply = await self._line.call(bot_id, "sendPhoto", {**payload, "photo": file_id}, pool=lane)
            if not is_wrong_file(reply):
                return outcome_of(reply)
            await self._pictures.forget(bot_id, media_id, file_id)
            return await self._upload(bot_id, payload, media_id, lane)
        except MediaNotFoundError as error:
            return ContentRejected(error.detail)
        except DATABASE_AWAY as error:
            return NotAccepted(f"the picture cannot be read now: {type(error).__name__}")

    async def _upload(self, bot_id: int, payload: dict[str, object], media_id: UUID, lane: Lane) -> SendOutcome:
        """Upload with this message, unless another did so while this one waited."""
        async with self._pictures.upload(bot_id, media_id):
            file_id = await self._pictures.file_id(bot_id, media_id)
            if file_id is None:
                picture = await self._pictures.read(media_id)
                reply = await self._line.call(bot_id, "sendPhoto", payload, upload=picture, pool=lane)
                if isinstance(reply, Answer) and reply.is_ok:
                    await self._pictures.learn(bot_id, media_id, reply)
                return outcome_of(reply)
        return outcome_of(await self._line.call(bot_id, "sendPhoto", {**payload, "photo": file_id}, pool=lane))


def _paid(payload: Payload, lane: Lane) -> Payload:
    """The payload that allows the fee of a paid broadcast, where this is one."""
    return {**payload, "allow_paid_broadcast": True} if lane is Lane.PAID else payload


def make(context: ChannelContext) -> TelegramSender:
    """The sender of this process; close it at the end."""
    return TelegramSender(open_line(context), Pictures(context.sessions))
