"""Storing what is said in the web chat, reading it back, and noting what visitors saw."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, insert, literal, select, tuple_, update
from sqlalchemy.dialects.postgresql import INTERVAL
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.kit.ids import uuid7
from crm.messages.types import Outbound
from crm.webchat import bodies
from crm.webchat.models import ChatMessageRow
from crm.webchat.types import ChatDirection, ChatHistory, ChatMessage, Visitor

PAGE = 30
_RESENT_WITHIN = timedelta(days=9)
"""A page sends what was not acknowledged again, for as long as the inbox knows its key."""
_MOST_RECEIPTS = 200
_SERVER_NOW = func.clock_timestamp()
_VERSION_7 = 7


async def store_written(session: AsyncSession, visitor: Visitor, text: str, *, frame_id: str) -> ChatMessage:
    """Store what the visitor wrote; the same `frame_id` again answers the message that is there."""
    await session.execute(
        select(func.pg_advisory_xact_lock(func.hashtextextended(f"webchat:{visitor.address}", visitor.bot_id)))
    )
    since = await clock.now(session) - _RESENT_WITHIN
    query = select(ChatMessageRow).where(*_of(visitor), ChatMessageRow.at >= since, ChatMessageRow.frame_id == frame_id)
    known = await session.scalar(query)
    if known is not None:
        return bodies.as_message(session, known)
    message_id, at = await _new_id(session)
    return await _insert(
        session,
        visitor,
        id=message_id,
        at=at,
        direction=ChatDirection.IN,
        frame_id=frame_id,
        body=bodies.written(session, message_id, text),
    )


async def store_said(session: AsyncSession, visitor: Visitor, message: Outbound) -> ChatMessage:
    """Store what the bot says; it takes the place of the message that `edit_ref` names, if that is there."""
    if message.edit_ref is not None:
        edited = await _edit(session, visitor, message, message.edit_ref)
        if edited is not None:
            return edited
    message_id, at = await _new_id(session)
    return await _insert(
        session,
        visitor,
        id=message_id,
        at=at,
        direction=ChatDirection.OUT,
        has_menu=message.menu is not None,
        body=bodies.said(session, message_id, message),
    )


async def find(session: AsyncSession, visitor: Visitor, message_id: UUID) -> ChatMessage | None:
    """One message of this visitor."""
    row = await session.scalar(select(ChatMessageRow).where(*_named(visitor, message_id)))
    return None if row is None else bodies.as_message(session, row)


async def history(
    session: AsyncSession, visitor: Visitor, *, before: UUID | None = None, limit: int = PAGE
) -> ChatHistory:
    """The newest messages, or those before the one that `before` names (nothing if there is no such one)."""
    query = select(ChatMessageRow).where(*_of(visitor))
    if before is not None:
        at = await session.scalar(select(ChatMessageRow.at).where(*_named(visitor, before)))
        if at is None:
            return ChatHistory([], has_more=False)
        query = query.where(tuple_(ChatMessageRow.at, ChatMessageRow.id) < (at, before))
    query = query.order_by(ChatMessageRow.at.desc(), ChatMessageRow.id.desc()).limit(limit + 1)
    rows = (await session.scalars(query)).all()
    return ChatHistory([bodies.as_message(session, row) for row in rows[:limit][::-1]], has_more=len(rows) > limit)


async def changed_lately(session: AsyncSession, visitors: Sequence[Visitor], *, seconds: float) -> list[ChatMessage]:
    """What was stored or edited for these visitors in the last `seconds`, oldest first."""
    since = _SERVER_NOW - literal(timedelta(seconds=seconds), INTERVAL)
    query = select(ChatMessageRow).where(
        ChatMessageRow.changed_at >= since,
        tuple_(ChatMessageRow.bot_id, ChatMessageRow.address).in_([(one.bot_id, one.address) for one in visitors]),
    )
    rows = await session.scalars(query.order_by(ChatMessageRow.changed_at, ChatMessageRow.id))
    return [bodies.as_message(session, row) for row in rows]


async def menu(session: AsyncSession, visitor: Visitor) -> tuple[str, ...] | None:
    """Labels of the persistent menu that the visitor was last given; None when there was none."""
    query = select(ChatMessageRow).where(*_of(visitor), ChatMessageRow.has_menu)
    row = await session.scalar(query.order_by(ChatMessageRow.at.desc(), ChatMessageRow.id.desc()).limit(1))
    return None if row is None else bodies.as_message(session, row).menu


async def mark_seen(session: AsyncSession, visitor: Visitor, message_id: UUID) -> None:
    """The visitor saw the message that `message_id` names and all before it; nothing happens if there is none."""
    at = await session.scalar(select(ChatMessageRow.at).where(*_named(visitor, message_id)))
    if at is None:
        return
    place = tuple_(ChatMessageRow.at, ChatMessageRow.id)
    unseen = update(ChatMessageRow).where(*_open(visitor), ChatMessageRow.seen_at.is_(None), place <= (at, message_id))
    await session.execute(unseen.values(seen_at=func.siyu_now()))


async def unconfirmed(session: AsyncSession, visitor: Visitor) -> list[UUID]:
    """Messages that were seen, of which deliveries does not know it yet."""
    query = select(ChatMessageRow.id).where(*_open(visitor), ChatMessageRow.seen_at.is_not(None))
    return list((await session.scalars(query.order_by(ChatMessageRow.at).limit(_MOST_RECEIPTS))).all())


async def mark_confirmed(session: AsyncSession, visitor: Visitor, message_ids: Sequence[UUID]) -> None:
    """Deliveries knows that these were seen."""
    known = update(ChatMessageRow).where(*_open(visitor), ChatMessageRow.id.in_(message_ids))
    await session.execute(known.values(confirmed_at=func.siyu_now()))


def _of(visitor: Visitor) -> tuple[ColumnElement[bool], ...]:
    return ChatMessageRow.bot_id == visitor.bot_id, ChatMessageRow.address == visitor.address


def _open(visitor: Visitor) -> tuple[ColumnElement[bool], ...]:
    return (*_of(visitor), ChatMessageRow.direction == ChatDirection.OUT, ChatMessageRow.confirmed_at.is_(None))


def _named(visitor: Visitor, message_id: UUID) -> tuple[ColumnElement[bool], ...]:
    """The id begins with its time in milliseconds, which leads to the partition."""
    made = message_id.int >> 80 if message_id.version == _VERSION_7 else 0
    at = datetime.fromtimestamp(min(made, 1 << 42) / 1000, UTC)
    around = ChatMessageRow.at.between(at - timedelta(milliseconds=2), at + timedelta(milliseconds=2))
    return (*_of(visitor), ChatMessageRow.id == message_id, around)


async def _new_id(session: AsyncSession) -> tuple[UUID, datetime]:
    at = await clock.now(session)
    return uuid7(at), at


async def _insert(session: AsyncSession, visitor: Visitor, **values: Any) -> ChatMessage:
    statement = insert(ChatMessageRow).values(bot_id=visitor.bot_id, address=visitor.address, **values)
    row = (await session.scalars(statement.returning(ChatMessageRow))).one()
    return bodies.as_message(session, row)


async def _edit(session: AsyncSession, visitor: Visitor, message: Outbound, reference: str) -> ChatMessage | None:
    try:
        message_id = UUID(reference)
    except ValueError:
        return None
    statement = (
        update(ChatMessageRow)
        .where(*_named(visitor, message_id), ChatMessageRow.direction == ChatDirection.OUT)
        .values(
            body=bodies.said(session, message_id, message),
            revision=ChatMessageRow.revision + 1,
            changed_at=_SERVER_NOW,
        )
        .returning(ChatMessageRow)
        .execution_options(populate_existing=True)
    )
    row = (await session.scalars(statement)).one_or_none()
    return None if row is None else bodies.as_message(session, row)
