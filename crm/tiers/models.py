"""Tables of tiers: versions of the programme, where members stand, their history by month, and evaluations."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, Numeric, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from crm.db.base import Base, BigId, CreatedAt, Timestamp

_TIME = DateTime(timezone=True)


class ProgrammeRow(Base):
    """One version of the programme."""

    __tablename__ = "tier_programmes"
    __table_args__ = (Index(None, "status", unique=True, postgresql_where=text("status IN ('draft', 'live')")),)

    version: Mapped[BigId]
    status: Mapped[str] = mapped_column(Text)
    rules: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_by: Mapped[str] = mapped_column(Text)
    is_demo: Mapped[bool] = mapped_column(server_default="false")
    created_at: Mapped[CreatedAt]
    published_at: Mapped[datetime | None] = mapped_column(_TIME)
    retired_at: Mapped[datetime | None] = mapped_column(_TIME)


class StandingRow(Base):
    """Where a member stands; who never had a tier has no row."""

    __tablename__ = "tier_standings"
    __table_args__ = (Index(None, "tier", "member_id"),)

    member_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("members.id"), primary_key=True, autoincrement=False)
    tier: Mapped[str | None] = mapped_column(Text)
    earned: Mapped[str | None] = mapped_column(Text)
    since: Mapped[datetime | None] = mapped_column(_TIME)
    falls_at: Mapped[datetime | None] = mapped_column(_TIME)
    risk_ends_at: Mapped[datetime | None] = mapped_column(_TIME)
    grant_tier: Mapped[str | None] = mapped_column(Text)
    grant_until: Mapped[datetime | None] = mapped_column(_TIME)
    grant_reason: Mapped[str | None] = mapped_column(Text)
    grant_by: Mapped[str | None] = mapped_column(Text)


class HistoryRow(Base):
    """One interval of a member in a tier; the open one has no end."""

    __tablename__ = "tier_history"
    __table_args__ = ({"postgresql_partition_by": "RANGE (started_at)"},)

    member_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    started_at: Mapped[datetime] = mapped_column(_TIME, primary_key=True)
    ended_at: Mapped[datetime | None] = mapped_column(_TIME)
    tier: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    measure: Mapped[str] = mapped_column(Text)
    value: Mapped[Decimal] = mapped_column(Numeric(18, 2))
    version: Mapped[int] = mapped_column(BigInteger)
    by: Mapped[str] = mapped_column(Text)


class RunRow(Base):
    """An evaluation of all members; `next_id` moves on in the transaction of each range."""

    __tablename__ = "tier_runs"
    __table_args__ = (
        Index(
            "uq_tier_runs_open",
            text("(finished_at IS NULL)"),
            unique=True,
            postgresql_where=text("finished_at IS NULL"),
        ),
    )

    id: Mapped[BigId]
    version: Mapped[int] = mapped_column(BigInteger, ForeignKey("tier_programmes.version"))
    kind: Mapped[str] = mapped_column(Text)
    next_id: Mapped[int] = mapped_column(BigInteger)
    until_id: Mapped[int] = mapped_column(BigInteger)
    up: Mapped[int] = mapped_column(BigInteger, server_default="0")
    down: Mapped[int] = mapped_column(BigInteger, server_default="0")
    started_at: Mapped[Timestamp]
    finished_at: Mapped[datetime | None] = mapped_column(_TIME)


class BenefitRow(Base):
    """The last period that a member was given a benefit for, or why that could not be."""

    __tablename__ = "tier_benefits"
    __table_args__ = (Index(None, "kind", "period"),)

    member_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    period: Mapped[str] = mapped_column(Text)
    coupon_id: Mapped[int] = mapped_column(BigInteger)
    voucher_id: Mapped[UUID | None] = mapped_column(Uuid)
    problem: Mapped[str | None] = mapped_column(Text)
    at: Mapped[Timestamp]
