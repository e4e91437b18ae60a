"""Conversations, what their running flows did, what will wake them, the transcript, and operators' keywords."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from crm.db.base import Base, BigId, CreatedAt, Timestamp


class ConversationRow(Base):
    """One per identity, so that a merge of members moves it along."""

    __tablename__ = "conversations"

    id: Mapped[BigId]
    identity_id: Mapped[int] = mapped_column(ForeignKey("identities.id"), unique=True)
    bot_id: Mapped[int] = mapped_column(ForeignKey("bots.id"))
    chat_key: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(Integer, server_default="0")
    runs_started: Mapped[int] = mapped_column(Integer, server_default="0")
    runs: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default="[]")
    changed_at: Mapped[CreatedAt]
    taps_known_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """The end of the last outage after which it was settled whether to ask for taps again."""


class JournalRow(Base):
    """One step of a run that still waits; the value is sealed."""

    __tablename__ = "conversation_journal"

    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"), primary_key=True)
    run: Mapped[int] = mapped_column(Integer, primary_key=True)
    path: Mapped[str] = mapped_column(Text, primary_key=True)
    occurrence: Mapped[int] = mapped_column(Integer, primary_key=True)
    position: Mapped[int] = mapped_column(Integer)
    is_effect: Mapped[bool]
    value: Mapped[bytes] = mapped_column(LargeBinary)


class WakeRow(Base):
    """A timer or a job's result for one question of one run."""

    __tablename__ = "conversation_wakes"
    __table_args__ = (UniqueConstraint("conversation_id", "run", "step", "kind"), Index(None, "due_at"))

    id: Mapped[BigId]
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"))
    run: Mapped[int] = mapped_column(Integer)
    step: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(Text)
    due_at: Mapped[Timestamp]
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    value: Mapped[bytes | None] = mapped_column(LargeBinary)


class MessageRow(Base):
    """A line of the transcript; the body is sealed. Whose it is says the identity."""

    __tablename__ = "conversation_messages"
    __table_args__ = (Index(None, "identity_id", "at"), {"postgresql_partition_by": "RANGE (at)"})

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    identity_id: Mapped[int] = mapped_column(BigInteger)
    direction: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    operator_id: Mapped[int | None] = mapped_column(BigInteger)
    is_cut: Mapped[bool] = mapped_column(server_default="false")
    body: Mapped[bytes] = mapped_column(LargeBinary)


class KeywordRow(Base):
    """Words to which operators attached an answer, a tag or a flow."""

    __tablename__ = "keywords"

    id: Mapped[BigId]
    name: Mapped[str] = mapped_column(Text)
    words: Mapped[list[str]] = mapped_column(ARRAY(Text))
    match: Mapped[str] = mapped_column(Text, server_default="exact")
    priority: Mapped[int] = mapped_column(Integer, server_default="0")
    tag: Mapped[str | None] = mapped_column(Text)
    flow: Mapped[str | None] = mapped_column(Text)
    reply: Mapped[dict[str, str] | None] = mapped_column(JSONB)
    is_active: Mapped[bool] = mapped_column(server_default="true")
    created_at: Mapped[CreatedAt]
