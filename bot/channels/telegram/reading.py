"""aiogram's types as neutral inputs; pure."""

import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from aiogram.enums import ChatMemberStatus, ChatType, ContentType
from aiogram.types import CallbackQuery, Chat, ChatMemberUpdated, Message, Update, User

from bot.types import InboundInput, InputKind, SharedContact, SharedLocation

from .manifest import NAME

_START = re.compile(r"/start(?:@\w+)?(?:\s+(?P<payload>[A-Za-z0-9_-]{1,64}))?(?:\s|\Z)", re.IGNORECASE)
_GROUPS = frozenset({ChatType.GROUP, ChatType.SUPERGROUP})
_OTHER = frozenset(
    {
        ContentType.ANIMATION,
        ContentType.AUDIO,
        ContentType.CHECKLIST,
        ContentType.DICE,
        ContentType.DOCUMENT,
        ContentType.GAME,
        ContentType.GIFT,
        ContentType.LIVE_PHOTO,
        ContentType.PAID_MEDIA,
        ContentType.POLL,
        ContentType.RICH_MESSAGE,
        ContentType.STORY,
        ContentType.UNKNOWN,
        ContentType.VIDEO,
        ContentType.VIDEO_NOTE,
        ContentType.VOICE,
    }
)
"""What a person may send and no conversation reads; all else is a notice of the service itself."""
_MEMBERSHIP: Mapping[str, InputKind] = MappingProxyType(
    {ChatMemberStatus.KICKED: InputKind.BLOCKED, ChatMemberStatus.MEMBER: InputKind.UNBLOCKED}
)


def read_update(bot_id: int, update: Update) -> InboundInput | None:
    """The update as an input; None when nobody in a conversation sent it."""
    if update.message is not None:
        return _message(bot_id, update.message)
    if update.callback_query is not None:
        return _tap(bot_id, update.callback_query)
    if update.my_chat_member is not None:
        return _membership(bot_id, update.my_chat_member)
    return None


def _message(bot_id: int, message: Message) -> InboundInput | None:
    user = message.from_user
    if user is None or user.is_bot or message.business_connection_id is not None:
        return None
    given = replace(
        _from(bot_id, message.chat, user, InputKind.OTHER),
        text=message.text or message.caption or "",
        at=message.date,
        message_ref=str(message.message_id),
    )
    if message.chat.type in _GROUPS:
        return replace(given, kind=InputKind.GROUP) if _is_for_bot(message) else None
    if message.chat.type != ChatType.PRIVATE:
        return None
    return _private(given, message, user)


def _private(given: InboundInput, message: Message, user: User) -> InboundInput | None:
    if message.text is not None:
        return _text(given, message.text)
    if message.contact is not None:
        # Anybody can pass on anybody's card; only one's own proves the number.
        is_own = message.contact.user_id == user.id
        contact = SharedContact(message.contact.phone_number, is_own)
        return replace(given, kind=InputKind.CONTACT, contact=contact)
    if message.location is not None:
        place = SharedLocation(message.location.latitude, message.location.longitude)
        return replace(given, kind=InputKind.LOCATION, location=place)
    if message.photo:
        return replace(given, kind=InputKind.PHOTO, photo=message.photo[-1].file_id)
    if message.sticker is not None:
        return replace(given, kind=InputKind.STICKER, text=message.sticker.emoji or "")
    return given if message.content_type in _OTHER else None


def start_payload(text: str) -> tuple[bool, str | None]:
    """Whether the text is Telegram's way to open the chat, and what the deep link carried."""
    opened = _START.match(text)
    return (False, None) if opened is None else (True, opened.group("payload"))


def _text(given: InboundInput, text: str) -> InboundInput:
    is_start, payload = start_payload(text)
    return replace(given, kind=InputKind.START if is_start else InputKind.TEXT, payload=payload)


def _tap(bot_id: int, query: CallbackQuery) -> InboundInput | None:
    if query.message is None or query.data is None:
        return None
    chat = query.message.chat
    kind = InputKind.BUTTON if chat.type == ChatType.PRIVATE else InputKind.GROUP
    return replace(
        _from(bot_id, chat, query.from_user, kind),
        data=query.data,
        message_ref=str(query.message.message_id),
        tap_ref=query.id,
    )


def _membership(bot_id: int, changed: ChatMemberUpdated) -> InboundInput | None:
    """In a private chat a change of the bot's own membership means one thing only: blocked or unblocked."""
    kind = _MEMBERSHIP.get(changed.new_chat_member.status)
    if changed.chat.type != ChatType.PRIVATE or kind is None:
        return None
    return replace(_from(bot_id, changed.chat, changed.from_user, kind), at=changed.date)


def _from(bot_id: int, chat: Chat, user: User, kind: InputKind) -> InboundInput:
    return InboundInput(
        bot_id=bot_id,
        channel=NAME,
        address=str(chat.id),
        chat_key=str(chat.id),
        kind=kind,
        display_name=user.full_name,
        username=user.username,
        locale_hint=user.language_code,
    )


def _is_for_bot(message: Message) -> bool:
    """A command, a mention, or an answer to a bot; the rest of a group's talk is none of ours."""
    text = message.text or message.caption or ""
    entities = message.entities or message.caption_entities or []
    answered = message.reply_to_message
    is_answer = answered is not None and answered.from_user is not None and answered.from_user.is_bot
    return text.startswith("/") or is_answer or any(entity.type in _ADDRESSED for entity in entities)


_ADDRESSED: frozenset[Any] = frozenset({"mention", "text_mention", "bot_command"})
