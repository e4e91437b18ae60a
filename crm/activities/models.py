"""Tables of activities and registrations."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, Integer, Text, UniqueConstraint, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from crm.db.base import Base, BigId, CreatedAt, Timestamp

_TIME = DateTime(timezone=True)


class ActivityRow(Base):
    """One activity; whoever changes who has a place holds its row."""

    __tablename__ = "activities"
    __table_args__ = (Index(None, "status", "starts_at"),)

    id: Mapped[BigId]
    name: Mapped[dict[str, str]] = mapped_column(JSONB)
    description: Mapped[dict[str, str]] = mapped_column(JSONB, server_default="{}")
    place: Mapped[dict[str, str]] = mapped_column(JSONB, server_default="{}")
    photo_media_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("media.id"))
    starts_at: Mapped[Timestamp]
    ends_at: Mapped[Timestamp]
    opens_at: Mapped[datetime | None] = mapped_column(_TIME)
    closes_at: Mapped[datetime | None] = mapped_column(_TIME)
    capacity: Mapped[int | None] = mapped_column(Integer)
    has_waiting_list: Mapped[bool] = mapped_column(server_default="true")
    points: Mapped[int] = mapped_column(BigInteger, server_default="0")
    tiers: Mapped[list[str]] = mapped_column(JSONB, server_default="[]")
    segment_ids: Mapped[list[int]] = mapped_column(JSONB, server_default="[]")
    cancel_hours: Mapped[int] = mapped_column(Integer, server_default="24")
    reminder_hours: Mapped[list[Any]] = mapped_column(JSONB, server_default="[]")
    survey_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("surveys.id"))
    feedback_hours: Mapped[int] = mapped_column(Integer, server_default="2")
    status: Mapped[str] = mapped_column(Text)
    door_code: Mapped[str] = mapped_column(Text)
    published_at: Mapped[datetime | None] = mapped_column(_TIME)
    closed_at: Mapped[datetime | None] = mapped_column(_TIME)
    created_at: Mapped[CreatedAt]


class RegistrationRow(Base):
    """A member's registration; registering again after a cancellation is another attempt of the same row.

    `turn` orders the waiting list, `due_at` is when the member is told something next.
    """

    __tablename__ = "activity_registrations"
    __table_args__ = (
        UniqueConstraint("activity_id", "member_id"),
        UniqueConstraint("activity_id", "code"),
        Index(None, "activity_id", "status", "turn"),
        Index(None, "member_id"),
        Index(None, "due_at", postgresql_where="due_at IS NOT NULL"),
    )

    id: Mapped[BigId]
    activity_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("activities.id"))
    member_id: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(Text)
    code: Mapped[str] = mapped_column(Text)
    attempt: Mapped[int] = mapped_column(Integer, server_default="1")
    turn: Mapped[int] = mapped_column(BigInteger)
    points: Mapped[int] = mapped_column(BigInteger, server_default="0")
    transaction_id: Mapped[UUID | None] = mapped_column(Uuid)
    registered_at: Mapped[Timestamp]
    changed_at: Mapped[Timestamp]
    changed_by: Mapped[str] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    due_at: Mapped[datetime | None] = mapped_column(_TIME)
    asked_at: Mapped[datetime | None] = mapped_column(_TIME)
