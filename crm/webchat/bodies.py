"""Sealed bodies of messages, and rows as values."""

import json
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.session import vault
from crm.kit.text import clean_text, cut_bytes
from crm.messages.types import Button, Outbound
from crm.webchat.models import ChatMessageRow
from crm.webchat.types import ChatDirection, ChatMessage, Visitor

BODY = "webchat_messages.body"


def written(session: AsyncSession, message_id: UUID, text: str) -> bytes:
    """What a visitor wrote, sealed."""
    return _sealed(session, message_id, {"text": cut_bytes(clean_text(text))[0]})


def said(session: AsyncSession, message_id: UUID, message: Outbound) -> bytes:
    """What the bot says, sealed."""
    rows = [[[button.label, button.data, button.url] for button in row] for row in message.buttons]
    body: dict[str, Any] = {"text": clean_text(message.text_html), "buttons": rows}
    if message.photo_media_id is not None:
        body["photo"] = str(message.photo_media_id)
    if message.menu is not None:
        body["menu"] = [label for row in message.menu for label in row]
    return _sealed(session, message_id, body)


def as_message(session: AsyncSession, row: ChatMessageRow) -> ChatMessage:
    """The row with its body opened."""
    body = json.loads(vault(session).open(row.body, _place(row.id)))
    photo, menu = body.get("photo"), body.get("menu")
    return ChatMessage(
        id=row.id,
        at=row.at,
        visitor=Visitor(row.bot_id, row.address),
        direction=ChatDirection(row.direction),
        text=body["text"],
        buttons=tuple(tuple(Button(*button) for button in line) for line in body.get("buttons", [])),
        photo_media_id=None if photo is None else UUID(photo),
        menu=None if menu is None else tuple(menu),
        revision=row.revision,
    )


def _sealed(session: AsyncSession, message_id: UUID, body: dict[str, Any]) -> bytes:
    return vault(session).seal(json.dumps(body, ensure_ascii=False), _place(message_id))


def _place(message_id: UUID) -> str:
    return f"{BODY}:{message_id}"
