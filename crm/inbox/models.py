"""Raw updates as they came in, which of them are known, which wait, and which could not be handled."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Index, LargeBinary, SmallInteger, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from crm.db.base import Base, BigId, Timestamp


class InboundKeyRow(Base):
    """Update ids that were seen, for 8 days or longer; never partitioned, because it carries uniqueness."""

    __tablename__ = "inbound_keys"
    __table_args__ = (Index(None, "received_at"),)

    bot_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    update_key: Mapped[str] = mapped_column(Text, primary_key=True)
    received_at: Mapped[Timestamp]


class ReceptionRow(Base):
    """When a bot was last listened to, and the last time that it was not for too long."""

    __tablename__ = "inbound_receptions"

    bot_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    heard_at: Mapped[Timestamp]
    outage_since: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    outage_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class InboundUpdateRow(Base):
    """A raw update; the payload is sealed."""

    __tablename__ = "inbound_updates"
    __table_args__ = ({"postgresql_partition_by": "RANGE (received_at)"},)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    bot_id: Mapped[int] = mapped_column(BigInteger)
    chat_key: Mapped[str] = mapped_column(Text)
    update_key: Mapped[str] = mapped_column(Text)
    payload: Mapped[bytes] = mapped_column(LargeBinary)


class InboundQueueRow(Base):
    """An update that waits to be handled; the first of its chat is handled first."""

    __tablename__ = "inbound_queue"
    __table_args__ = (Index(None, "bot_id", "chat_key", "position"), Index(None, "due_at"))

    position: Mapped[BigId]
    update_id: Mapped[UUID] = mapped_column(Uuid)
    received_at: Mapped[Timestamp]
    bot_id: Mapped[int] = mapped_column(BigInteger)
    chat_key: Mapped[str] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    due_at: Mapped[Timestamp]


class DeadLetterRow(Base):
    """An update that was given up, with the reason, until an operator replays it."""

    __tablename__ = "inbound_dead_letters"
    __table_args__ = (Index(None, "died_at"),)

    update_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    received_at: Mapped[Timestamp]
    bot_id: Mapped[int] = mapped_column(BigInteger)
    chat_key: Mapped[str] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(SmallInteger)
    reason: Mapped[str] = mapped_column(Text)
    died_at: Mapped[Timestamp]
    replayed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
