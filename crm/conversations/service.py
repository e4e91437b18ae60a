"""Conversation rows as the flow engine loads and saves them, and the transcript of what was said."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import bindparam, func, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.conversations.models import ConversationRow, MessageRow
from crm.conversations.types import Conversation, Direction, NewMessage, StaleConversation, TranscriptMessage
from crm.db import clock, joint
from crm.db.joint import Part
from crm.db.prepared import Prepared
from crm.db.session import vault
from crm.kit.ids import uuid7
from crm.kit.text import clean_text, cut_bytes
from crm.members import service as members

_FRESH = timedelta(days=1)
BODY = "conversation_messages.body"
_CONVERSATIONS = ConversationRow.metadata.tables["conversations"]
_COLUMNS = [
    _CONVERSATIONS.c[name]
    for name in (
        *("id", "identity_id", "bot_id", "chat_key", "version", "runs_started", "runs"),
        *("changed_at", "taps_known_until"),
    )
]
# Built once: every inbound update runs them.
_LOAD = Prepared(select(*_COLUMNS).where(_CONVERSATIONS.c.identity_id == bindparam("identity_id")))
_MAKE = Prepared(
    insert(_CONVERSATIONS)
    .values({name: bindparam(name) for name in ("identity_id", "bot_id", "chat_key")})
    .returning(*_COLUMNS)
)
_SAVE = Prepared(
    update(_CONVERSATIONS)
    .where(_CONVERSATIONS.c.id == bindparam("own_id"), _CONVERSATIONS.c.version == bindparam("own_version"))
    .values(
        runs=bindparam("runs"),
        runs_started=bindparam("runs_started"),
        chat_key=bindparam("chat_key"),
        version=_CONVERSATIONS.c.version + 1,
        changed_at=func.siyu_now(),
    )
    .returning(_CONVERSATIONS.c.id)
)
_RECORD = Part(
    [
        (
            "told",
            """
INSERT INTO conversation_messages (id, at, identity_id, direction, kind, operator_id, is_cut, body)
SELECT id, at, identity_id, direction, kind, operator_id, is_cut, body
FROM unnest(
    CAST(:ids AS uuid[]), CAST(:times AS timestamptz[]), CAST(:identities AS bigint[]), CAST(:directions AS text[]),
    CAST(:kinds AS text[]), CAST(:operators AS bigint[]), CAST(:cuts AS boolean[]), CAST(:bodies AS bytea[])
) AS given (id, at, identity_id, direction, kind, operator_id, is_cut, body)
""",
        )
    ],
    is_plural=True,
)


async def load(session: AsyncSession, identity_id: int, *, bot_id: int, chat_key: str) -> Conversation:
    """The identity's conversation, made if there is none. The caller holds the chat's lock."""
    found = await _LOAD.first(session, identity_id=identity_id)
    if found is None:
        found = await _MAKE.first(session, identity_id=identity_id, bot_id=bot_id, chat_key=chat_key)
    return Conversation(**found)


async def save(
    session: AsyncSession, conversation: Conversation, *, runs: list[dict[str, Any]], runs_started: int
) -> None:
    """Write what the engine made of the conversation. Raises StaleConversation if it went on meanwhile."""
    saved = await _SAVE.first(
        session,
        own_id=conversation.id,
        own_version=conversation.version,
        runs=json.dumps(runs),
        runs_started=runs_started,
        chat_key=conversation.chat_key,
    )
    if saved is None:
        raise StaleConversation


async def taps_known(session: AsyncSession, conversation_id: int, until: datetime) -> None:
    """It is settled whether the chat is asked to tap again after the outage that ended at `until`."""
    own = ConversationRow.id == conversation_id
    await session.execute(update(ConversationRow).where(own).values(taps_known_until=until))


async def offered_buttons(session: AsyncSession, identity_id: int, *, before: datetime) -> bool:
    """Whether the last thing said to the identity within a day before `before` had buttons."""
    query = select(MessageRow).where(
        MessageRow.identity_id == identity_id,
        MessageRow.direction == Direction.OUT,
        MessageRow.at.between(before - _FRESH, before),
    )
    row = (await session.scalars(query.order_by(MessageRow.at.desc(), MessageRow.id.desc()).limit(1))).one_or_none()
    return row is not None and bool(_message(session, row).buttons)


async def record(session: AsyncSession, identity_id: int, messages: Sequence[NewMessage]) -> None:
    """Add lines to the identity's transcript, in order; a `last` write of `crm.db.joint`."""
    at = await clock.now(session)
    if not messages:
        return
    ids = [uuid7(at) for _ in messages]
    texts = [cut_bytes(clean_text(message.text)) for message in messages]
    bodies = [_body(message, kept) for message, (kept, _) in zip(messages, texts, strict=True)]
    values = {
        "ids": ids,
        "times": [at] * len(ids),
        "identities": [identity_id] * len(ids),
        "directions": [message.direction for message in messages],
        "kinds": [message.kind for message in messages],
        "operators": [message.operator_id for message in messages],
        "cuts": [is_cut or message.is_cut for message, (_, is_cut) in zip(messages, texts, strict=True)],
        "bodies": [vault(session).seal(body, _place(own)) for own, body in zip(ids, bodies, strict=True)],
    }
    await joint.last(session, _RECORD, values)


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


def _body(message: NewMessage, kept: str) -> bytes:
    photo = None if message.photo_media_id is None else str(message.photo_media_id)
    return orjson.dumps({"text": kept, "buttons": message.buttons, "photo": photo})


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
