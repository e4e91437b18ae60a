"""Tables of missions and badges. Which event was counted is kept by month."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, DateTime, ForeignKey, Index, Integer, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from crm.db.base import Base, BigId, CreatedAt, Timestamp

_TIME = DateTime(timezone=True)


class MissionRow(Base):
    """One mission."""

    __tablename__ = "missions"

    id: Mapped[BigId]
    name: Mapped[dict[str, str]] = mapped_column(JSONB)
    description: Mapped[dict[str, str]] = mapped_column(JSONB, server_default="{}")
    steps: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    window: Mapped[str] = mapped_column(Text)
    rewards: Mapped[dict[str, Any]] = mapped_column(JSONB)
    tiers: Mapped[list[str]] = mapped_column(JSONB, server_default="[]")
    starts_at: Mapped[datetime | None] = mapped_column(_TIME)
    ends_at: Mapped[datetime | None] = mapped_column(_TIME)
    position: Mapped[int] = mapped_column(Integer, server_default="0")
    is_active: Mapped[bool] = mapped_column(server_default="true")
    completed: Mapped[int] = mapped_column(BigInteger, server_default="0")
    is_demo: Mapped[bool] = mapped_column(server_default="false")
    created_at: Mapped[CreatedAt]


class ProgressRow(Base):
    """Where a member stands in one window of a mission."""

    __tablename__ = "mission_progress"
    __table_args__ = (Index(None, "member_id"),)

    mission_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("missions.id"), primary_key=True)
    member_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    window: Mapped[str] = mapped_column(Text, primary_key=True)
    counts: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    completed_at: Mapped[datetime | None] = mapped_column(_TIME)


class CountedRow(Base):
    """An event that was counted for a mission, so that it is not counted twice."""

    __tablename__ = "mission_events"
    __table_args__ = ({"postgresql_partition_by": "RANGE (occurred_at)"},)

    event_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    mission_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    occurred_at: Mapped[datetime] = mapped_column(_TIME, primary_key=True)


class BadgeRow(Base):
    """One badge."""

    __tablename__ = "badges"

    id: Mapped[BigId]
    name: Mapped[dict[str, str]] = mapped_column(JSONB)
    description: Mapped[dict[str, str]] = mapped_column(JSONB, server_default="{}")
    emoji: Mapped[str] = mapped_column(Text)
    photo_media_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("media.id"))
    is_active: Mapped[bool] = mapped_column(server_default="true")
    is_demo: Mapped[bool] = mapped_column(server_default="false")
    created_at: Mapped[CreatedAt]


class HeldBadgeRow(Base):
    """A badge that a member has."""

    __tablename__ = "member_badges"
    __table_args__ = (Index(None, "member_id"),)

    badge_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("badges.id"), primary_key=True)
    member_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    earned_at: Mapped[Timestamp]
    given_for: Mapped[str] = mapped_column(Text)
