"""The event log, partitioned by month of occurrence, and the hand-offs that are still open."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Date, DateTime, Index, SmallInteger, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from crm.db.base import Base, Timestamp


class EventRow(Base):
    """One recorded fact."""

    __tablename__ = "events"
    __table_args__ = (
        Index(None, "member_id", "occurred_at"),
        Index(None, "member_id", "kind", "occurred_at"),
        Index(None, "kind", "occurred_at"),
        {"postgresql_partition_by": "RANGE (occurred_at)"},
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    occurred_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    member_id: Mapped[int | None] = mapped_column(BigInteger)
    source: Mapped[str] = mapped_column(Text, server_default="siyu")
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)


class HandoffRow(Base):
    """An event that a subscriber has still to handle; removed when it has."""

    __tablename__ = "event_handoffs"
    __table_args__ = (Index(None, "due_at", postgresql_where="is_dead = false"),)

    event_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    subscriber: Mapped[str] = mapped_column(Text, primary_key=True)
    occurred_at: Mapped[Timestamp]
    due_at: Mapped[Timestamp]
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    is_dead: Mapped[bool] = mapped_column(server_default="false")
    last_error: Mapped[str | None] = mapped_column(Text)


class EventKeyRow(Base):
    """Idempotency keys of events that came from outside, kept for 8 days or longer."""

    __tablename__ = "event_keys"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    event_id: Mapped[UUID] = mapped_column(Uuid)
    kept_since: Mapped[Timestamp]


class WishRow(Base):
    """A kind of event that a choosy subscriber wants just now."""

    __tablename__ = "event_wishes"

    subscriber: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)


class AheadRow(Base):
    """How far a telling ahead of one day came; removed some days after that day."""

    __tablename__ = "ahead_runs"

    subject: Mapped[str] = mapped_column(Text, primary_key=True)
    days: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    reached: Mapped[str] = mapped_column(Text, server_default="")
    is_done: Mapped[bool] = mapped_column(server_default="false")
