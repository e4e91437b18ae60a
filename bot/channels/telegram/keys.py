"""What makes a raw update unique and what orders it, read without any framework; pure."""

import hashlib
from typing import Any, NamedTuple

from .answers import tolerant_loads

ALLOWED_UPDATES = ("message", "callback_query", "my_chat_member")
"""What we ask for; `my_chat_member` is the one true signal that a bot was blocked."""
_NO_CHAT = "0"
_LONGEST_NUMBER = 20


class Keys(NamedTuple):
    """`update` is unique per bot; updates with the same `chat` are handled in order."""

    update: str
    chat: str


def keys_of_payload(payload: bytes) -> Keys:
    """The keys of an update that came by webhook; what cannot be read is known by its digest."""
    try:
        raw = tolerant_loads(payload)
    except ValueError:
        raw = None
    return keys_of(raw, payload)


def keys_of(raw: Any, payload: bytes) -> Keys:
    """The keys of a decoded update, whatever it turns out to be."""
    update = _number(raw.get("update_id")) if isinstance(raw, dict) else None
    if update is None:
        return Keys(f"sha256:{hashlib.sha256(payload).hexdigest()}", _NO_CHAT)
    return Keys(update, _chat(raw) or _NO_CHAT)


def _chat(raw: dict[str, Any]) -> str | None:
    """The id of the chat that the update is about, else of the person behind it."""
    for about in raw.values():
        if isinstance(about, dict):
            found = _id(about.get("chat")) or _id(_inner(about, "message", "chat")) or _id(about.get("from"))
            if found is not None:
                return found
    return None


def _inner(about: dict[str, Any], *path: str) -> Any:
    value: Any = about
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _id(value: Any) -> str | None:
    return _number(value.get("id")) if isinstance(value, dict) else None


def _number(value: Any) -> str | None:
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    text = str(value)
    return text if len(text) <= _LONGEST_NUMBER else None
