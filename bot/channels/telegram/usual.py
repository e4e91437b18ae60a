"""The commonest updates read by hand: a plain text in a private chat, and a tap there.

aiogram's models of an update cost fifty times what the ten fields cost that a conversation needs. Whatever has a
field or a type that is not known here is left to them; a test holds both readings to be equal.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from bot.types import InboundInput, InputKind

from .manifest import NAME
from .reading import start_payload

Fields = dict[str, Any]
_LAST_DATE = 2**32
_MESSAGE = frozenset({"message_id", "date", "chat", "from", "text", "entities"})
_TAP = frozenset({"id", "from", "message", "chat_instance", "data"})
_CHAT = frozenset({"id", "type", "first_name", "last_name", "username"})
_PERSON: Mapping[str, type] = {
    "id": int,
    "is_bot": bool,
    "first_name": str,
    "last_name": str,
    "username": str,
    "language_code": str,
    "is_premium": bool,
}
_ENTITY: Mapping[str, type] = {"type": str, "offset": int, "length": int}


def read_usual(bot_id: int, update: Any) -> InboundInput | None:
    """The input of a usual update; None when it has to be read in full."""
    if type(update) is not dict or len(update) != 2 or type(update.get("update_id")) is not int:  # noqa: PLR2004 - one beside its id
        return None
    for name, read in _READERS.items():
        inner = update.get(name)
        if type(inner) is dict:
            return read(bot_id, inner)
    return None


def _text(bot_id: int, message: Fields) -> InboundInput | None:
    chat: Any
    person: Any
    date: Any
    chat, person, text, date = (message.get(name) for name in ("chat", "from", "text", "date"))
    if not (message.keys() <= _MESSAGE and type(text) is str and type(message.get("message_id")) is int):
        return None
    if not (_is_private(chat) and _is_person(person) and _is_date(date) and _are_entities(message.get("entities", []))):
        return None
    is_start, payload = start_payload(text)
    return InboundInput(
        **_whose(bot_id, chat, person),
        kind=InputKind.START if is_start else InputKind.TEXT,
        text=text,
        payload=payload,
        at=datetime.fromtimestamp(date, UTC),
        message_ref=str(message["message_id"]),
    )


def _tap(bot_id: int, tap: Fields) -> InboundInput | None:
    """Of the message that was tapped no more is read than which it was."""
    message: Any
    person: Any
    message, person, ref, data = (tap.get(name) for name in ("message", "from", "id", "data"))
    if not (tap.keys() <= _TAP and type(message) is dict and type(ref) is str and type(data) is str):
        return None
    chat: Any = message.get("chat")
    number = message.get("message_id")
    is_known = type(number) is int and _is_date(message.get("date")) and type(tap.get("chat_instance")) is str
    if not (is_known and _is_private(chat) and _is_person(person)):
        return None
    return InboundInput(
        **_whose(bot_id, chat, person), kind=InputKind.BUTTON, data=data, message_ref=str(number), tap_ref=ref
    )


_READERS: Mapping[str, Callable[[int, Fields], InboundInput | None]] = {"message": _text, "callback_query": _tap}


def _whose(bot_id: int, chat: Fields, person: Fields) -> Fields:
    address, last_name = str(chat["id"]), person.get("last_name")
    return {
        "bot_id": bot_id,
        "channel": NAME,
        "address": address,
        "chat_key": address,
        "display_name": f"{person['first_name']} {last_name}" if last_name else person["first_name"],
        "username": person.get("username"),
        "locale_hint": person.get("language_code"),
    }


def _is_private(chat: Any) -> bool:
    return (
        type(chat) is dict
        and chat.get("type") == "private"
        and type(chat.get("id")) is int
        and chat.keys() <= _CHAT
        and all(type(value) is str for name, value in chat.items() if name != "id")
    )


def _is_person(person: Any) -> bool:
    if type(person) is not dict or person.get("is_bot") is not False or not {"id", "first_name"} <= person.keys():
        return False
    return all(type(value) is _PERSON.get(name) for name, value in person.items())


def _is_date(date: Any) -> bool:
    return type(date) is int and 0 < date < _LAST_DATE


def _are_entities(entities: Any) -> bool:
    return type(entities) is list and all(
        type(item) is dict
        and len(item) == len(_ENTITY)
        and all(type(value) is _ENTITY.get(name) for name, value in item.items())
        for item in entities
    )
