"""Conversation rows as the flow engine loads and saves them, and the transcript of what was said."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.conversations.models import ConversationRow, MessageRow
from crm.conversations.types import Conversation, Direction, NewMessage, StaleConversation, TranscriptMessage
from crm.db import clock
from crm.db.session import vault
from crm.kit.ids import uuid7
from crm.kit.text import clean_text, cut_bytes
from crm.members import service as members

BODY = "conversation_messages.body"
_CONVERSATIONS = ConversationRow.metadata.tables["conversations"]
_MESSAGES = ConversationRow.metadata.tables["conversation_messages"]
_COLUMNS = [
    _CONVERSATIONS.c[name] for name in ("id", "identity_id", "bot_id", "chat_key", "version", "runs_started", "runs")
]
# Built once: every inbound update runs them.
_LOAD = select(*_COLUMNS).where(_CONVERSATIONS.c.identity_id == bindparam("wanted"))
_MAKE = insert(_CONVERSATIONS).returning(*_COLUMNS)
_RECORD = insert(_MESSAGES)


async def load(session: AsyncSession, identity_id: int, *, bot_id: int, chat_key: str) -> Conversation:
    """The identity's conversation, made if there is none. The caller holds the chat's lock."""
    found = (await session.execute(_LOAD, {"wanted": identity_id})).one_or_none()
    if found is None:
        values = {"identity_id": identity_id, "bot_id": bot_id, "chat_key": chat_key}
        found = (await session.execute(_MAKE, values)).one()
    return Conversation(*found)


async def save(
    session: AsyncSession, conversation: Conversation, *, runs: list[dict[str, Any]], runs_started: int
) -> None:
    """Write what the engine made of the conversation. Raises StaleConversation if it went on meanwhile."""
    query = (
        update(ConversationRow)
        .where(ConversationRow.id == conversation.id, ConversationRow.version == conversation.version)
        .values(
            runs=runs,
            runs_started=runs_started,
            chat_key=conversation.chat_key,
            version=ConversationRow.version + 1,
            changed_at=func.siyu_now(),
        )
        .returning(ConversationRow.id)
    )
    if (await session.execute(query)).one_or_none() is None:
        raise StaleConversation


async def record(session: AsyncSession, identity_id: int, messages: Sequence[NewMessage]) -> None:
    """Add lines to the identity's transcript, in order, in one statement."""
    at = await clock.now(session)
    if messages:
        await session.execute(_RECORD, [_row(session, identity_id, at, item) for item in messages])


async def transcript(
    session: AsyncSession, member_id: int, *, before: tuple[datetime, UUID] | None = None, limit: int = 50
) -> list[TranscriptMessage]:
    """What was said on all channels of the member, newest first; `before` is the (at, id) of the last one seen."""
    identity_ids = [identity.id for identity in await members.identities(session, member_id)]
    return await of_identities(session, identity_ids, before=before, limit=limit)


async def of_identities(
    session: AsyncSession, identity_ids: Sequence[int], *, before: tuple[datetime, UUID] | None = None, limit: int = 50
) -> list[TranscriptMessage]:
    """Like `transcript`, of these channel accounts only; web chat shows its own history with it."""
    query = select(MessageRow).where(MessageRow.identity_id.in_(identity_ids))
    if before is not None:
        query = query.where(tuple_(MessageRow.at, MessageRow.id) < before)
    rows = await session.scalars(query.order_by(MessageRow.at.desc(), MessageRow.id.desc()).limit(limit))
    return [_message(session, row) for row in rows]


def _row(session: AsyncSession, identity_id: int, at: datetime, message: NewMessage) -> dict[str, Any]:
    text, is_cut = cut_bytes(clean_text(message.text))
    photo = None if message.photo_media_id is None else str(message.photo_media_id)
    body = json.dumps({"text": text, "buttons": message.buttons, "photo": photo}, ensure_ascii=False)
    message_id = uuid7(at)
    return {
        "id": message_id,
        "at": at,
        "identity_id": identity_id,
        "direction": message.direction,
        "kind": message.kind,
        "operator_id": message.operator_id,
        "is_cut": is_cut or message.is_cut,
        "body": vault(session).seal(body, _place(message_id)),
    }


def _message(session: AsyncSession, row: MessageRow) -> TranscriptMessage:
    body = json.loads(vault(session).open(row.body, _place(row.id)))
    return TranscriptMessage(
        id=row.id,
        at=row.at,
        identity_id=row.identity_id,
        direction=Direction(row.direction),
        kind=row.kind,
        text=body["text"],
        buttons=body["buttons"],
        is_cut=row.is_cut,
        operator_id=row.operator_id,
        photo_media_id=None if body["photo"] is None else UUID(body["photo"]),
    )


def _place(message_id: UUID) -> str:
    return f"{BODY}:{message_id}"
