"""What visitors send, as it is stored and as the dispatcher is given it."""

import json
from typing import Any

from bot.channels.contract import ChannelContext
from bot.types import InboundInput, InputKind, UnusableUpdateError
from crm.messages.types import Outbound

from .frames import Said, Tapped
from .manifest import NAME, TRAITS

MENU = "menu:"
"""What a key of the persistent menu carries before its label: tapping it says the label."""


def said(address: str, frame: Said) -> bytes:
    """A text."""
    return _stored({"kind": "text", "address": address, "text": frame.text})


def tapped(address: str, frame: Tapped) -> bytes:
    """A tap on a button of a message, or on a key of the menu."""
    if menu_label(frame) is not None:
        return _stored({"kind": "text", "address": address, "text": menu_label(frame)})
    return _stored({"kind": "tap", "address": address, "data": frame.data, "message": frame.message_id})


def opened(address: str, payload: str | None, locale: str, device: str | None = None) -> bytes:
    """The chat was opened, perhaps by a deep link, on a device of which a fingerprint is known."""
    return _stored({"kind": "start", "address": address, "payload": payload, "locale": locale, "device": device})


def menu_label(frame: Tapped) -> str | None:
    """The label of the menu's key that was tapped, if it was one."""
    return frame.data.removeprefix(MENU) if frame.data.startswith(MENU) else None


class WebchatInbound:
    """Implements `bot.types.InboundChannel`."""

    name = NAME
    traits = TRAITS

    def parse(self, bot_id: int, payload: bytes) -> InboundInput | None:
        """The stored frame as an input. Raises UnusableUpdateError."""
        try:
            found = json.loads(payload)
            kind, address = found["kind"], found["address"]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise UnusableUpdateError("this is not what the web chat stores") from error
        if not isinstance(address, str) or not address:
            raise UnusableUpdateError("the visitor is missing")
        match kind:
            case "text":
                return _input(bot_id, address, InputKind.TEXT, text=_text(found, "text") or "")
            case "tap":
                reference = _text(found, "message")
                data = _text(found, "data")
                return _input(bot_id, address, InputKind.BUTTON, data=data, message_ref=reference)
            case "start":
                payload_text, locale = _text(found, "payload"), _text(found, "locale")
                device = _text(found, "device")
                start = {"payload": payload_text, "locale_hint": locale, "device": device}
                return _input(bot_id, address, InputKind.START, **start)
        raise UnusableUpdateError("the web chat stores no such kind")

    async def acknowledge(self, bot_id: int, tapped: InboundInput) -> None:
        """Nothing: the page was answered when the tap was stored."""

    async def answer_group(self, bot_id: int, address: str, message: Outbound) -> None:
        """Nothing: the web chat has no groups."""


def make(context: ChannelContext) -> WebchatInbound:
    """The reader of stored frames."""
    del context
    return WebchatInbound()


def _stored(frame: dict[str, Any]) -> bytes:
    return json.dumps(frame).encode()


def _text(found: dict[str, Any], key: str) -> str | None:
    value = found.get(key)
    if value is not None and not isinstance(value, str):
        raise UnusableUpdateError(f"{key} is no text")
    return value


def _input(bot_id: int, address: str, kind: InputKind, **more: Any) -> InboundInput:
    return InboundInput(bot_id=bot_id, channel=NAME, address=address, chat_key=address, kind=kind, **more)
