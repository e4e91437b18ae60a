"""The aiogram adapter: stored raw updates as neutral inputs, and the answer to a tap."""

import structlog
from aiogram.types import Update

from bot.channels.contract import ChannelContext
from bot.types import InboundInput, UnusableUpdateError
from crm.deliveries.types import Lane
from crm.messages.types import Outbound

from .answers import Answer, describe, tolerant_loads
from .line import Line, open_line
from .manifest import NAME, TRAITS
from .payloads import text_payload
from .reading import read_update
from .usual import read_usual

log = structlog.get_logger(__name__)
_ACKNOWLEDGE_SECONDS = 5.0


class TelegramInbound:
    """Implements `bot.types.InboundChannel`."""

    name = NAME
    traits = TRAITS

    def __init__(self, line: Line) -> None:
        self._line = line

    def parse(self, bot_id: int, payload: bytes) -> InboundInput | None:
        """The stored update as an input; None when there is nothing to do. Raises UnusableUpdateError."""
        try:
            raw = tolerant_loads(payload)
            return read_usual(bot_id, raw) or read_update(bot_id, Update.model_validate(raw))
        except Exception as error:  # the validators of foreign types raise what they like
            raise UnusableUpdateError(f"not an update of the Bot API: {type(error).__name__}") from error

    async def acknowledge(self, bot_id: int, tapped: InboundInput) -> None:
        """End the tapped button's waiting sign. Never raises; that it came too late does not matter."""
        if tapped.tap_ref is None:
            return
        values = {"callback_query_id": tapped.tap_ref}
        reply = await self._line.call(
            bot_id, "answerCallbackQuery", values, pool=Lane.INTERACTIVE, read_timeout=_ACKNOWLEDGE_SECONDS
        )
        if not (isinstance(reply, Answer) and reply.is_ok):
            log.debug("tap_not_acknowledged", bot_id=bot_id, detail=describe(reply))

    async def answer_group(self, bot_id: int, address: str, message: Outbound) -> None:
        """Say something in a group; best effort, nothing is recorded."""
        await self._line.call(bot_id, "sendMessage", text_payload(address, message), pool=Lane.INTERACTIVE)

    async def close(self) -> None:
        """Close all connections."""
        await self._line.close()


def make(context: ChannelContext) -> TelegramInbound:
    """The adapter of this process; close it at the end."""
    return TelegramInbound(open_line(context))
