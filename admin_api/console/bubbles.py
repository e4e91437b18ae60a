"""Lines of a transcript as the chat component shows them."""

from collections.abc import Mapping, Sequence
from typing import Any

from admin_api.console.locale import Formats
from admin_api.console.pages import say
from admin_api.edge import Edge
from crm.conversations.types import Direction, TranscriptMessage
from crm.members.types import Identity

_KINDS = {
    "contact": "Shared a phone number",
    "location": "Shared a place",
    "photo": "Sent a picture",
    "sticker": "Sent a sticker",
    "other": "Sent something that cannot be shown",
    "start": "Opened the chat",
    "button": "Tapped a button",
}
SENTENCES = frozenset(_KINDS.values())
_MARKS = {
    "contact": "📱",
    "location": "📍",
    "photo": "🖼",
    "sticker": "🙂",
    "other": "📎",
    "start": "👋",
    "button": "👆",
}


def bubbles(
    edge: Edge,
    messages: Sequence[TranscriptMessage],
    formats: Formats,
    actors: Mapping[str, str],
    accounts: Sequence[Identity],
) -> list[dict[str, Any]]:
    """Oldest first; a line names its day when it is the first of it, and its channel when there are several."""
    channels = {account.id: account.channel for account in accounts}
    has_several = len(set(channels.values())) > 1
    day, shown = "", []
    for message in messages:
        today = formats.day(message.at)
        told = [formats.clock(message.at)]
        if has_several and message.identity_id in channels:
            told.insert(0, say(edge, {"telegram": "Telegram"}.get(channels[message.identity_id], "Web chat")))
        if message.direction is Direction.OPERATOR:
            told.insert(0, actors.get(f"operator:{message.operator_id}", say(edge, "Operator")))
        shown.append(
            {
                "text": _text(edge, message),
                "html": message.direction is Direction.OUT and message.kind == "html",
                "direction": message.direction.value,
                "at": message.at.isoformat(),
                "at_label": " · ".join(told),
                "day_label": today if today != day else "",
                "buttons": [[{"label": label}] for label in message.buttons],
            }
        )
        day = today
    return shown


def _text(edge: Edge, message: TranscriptMessage) -> str:
    if message.direction is not Direction.IN or message.kind not in _KINDS:
        return message.text
    is_readable = message.kind in {"contact", "location"} or (message.kind == "photo" and message.text)
    told = f"{_MARKS[message.kind]} {say(edge, _KINDS[message.kind])}"
    return f"{told}\n{message.text}" if is_readable else told
