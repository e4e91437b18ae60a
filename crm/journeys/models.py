"""Journeys, their versions, and members on their way."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, Integer, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from crm.db.base import Base, BigId, CreatedAt

_TIME = DateTime(timezone=True)


class JourneyRow(Base):
    """One journey."""

    __tablename__ = "journeys"

    id: Mapped[BigId]
    name: Mapped[str] = mapped_column(Text)
    shipped_key: Mapped[str | None] = mapped_column(Text, unique=True)
    status: Mapped[str] = mapped_column(Text, server_default="draft")
    version: Mapped[int] = mapped_column(Integer, server_default="1")
    created_at: Mapped[CreatedAt]
    activated_at: Mapped[datetime | None] = mapped_column(_TIME)
    archived_at: Mapped[datetime | None] = mapped_column(_TIME)


class VersionRow(Base):
    """What a journey does; members on their way stay with the version in which they entered."""

    __tablename__ = "journey_versions"

    journey_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("journeys.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    trigger: Mapped[dict[str, Any]] = mapped_column(JSONB)
    graph: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[CreatedAt]


class EnrollmentRow(Base):
    """A member in a journey: once per member and cause, such as an event or a year's birthday."""

    __tablename__ = "enrollments"
    __table_args__ = (
        UniqueConstraint("journey_id", "member_id", "cause"),
        Index(None, "due_at", postgresql_where="due_at IS NOT NULL"),
        Index(None, "member_id"),
    )

    id: Mapped[BigId]
    journey_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("journeys.id"))
    version: Mapped[int] = mapped_column(Integer)
    member_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("members.id"))
    cause: Mapped[str] = mapped_column(Text, server_default="")
    """Empty where members enter once and never again."""
    occurrence: Mapped[int] = mapped_column(Integer, server_default="0")
    """How often the member had entered before."""
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    """What texts may say of the cause."""
    node: Mapped[str | None] = mapped_column(Text)
    due_at: Mapped[datetime | None] = mapped_column(_TIME)
    outcome: Mapped[str | None] = mapped_column(Text)
    entered_at: Mapped[CreatedAt]
    ended_at: Mapped[datetime | None] = mapped_column(_TIME)
