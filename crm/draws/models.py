"""Tables of draws. The log of plays is partitioned by month; its keys stand beside it."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Date, DateTime, ForeignKey, Index, Integer, LargeBinary, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from crm.db.base import Base, BigId, CreatedAt, Timestamp

_TIME = DateTime(timezone=True)


class DrawRow(Base):
    """One draw; its row is held by whoever plays, so that plays have an order and stock cannot be oversold."""

    __tablename__ = "draws"

    id: Mapped[BigId]
    name: Mapped[dict[str, str]] = mapped_column(JSONB)
    description: Mapped[dict[str, str]] = mapped_column(JSONB, server_default="{}")
    rules: Mapped[dict[str, Any]] = mapped_column(JSONB)
    free_per_day: Mapped[int] = mapped_column(Integer)
    price: Mapped[int | None] = mapped_column(BigInteger)
    bought_per_day: Mapped[int] = mapped_column(Integer)
    earned_by: Mapped[dict[str, int]] = mapped_column(JSONB, server_default="{}")
    tiers: Mapped[list[str]] = mapped_column(JSONB, server_default="[]")
    stages: Mapped[list[str]] = mapped_column(JSONB, server_default="[]")
    minimum_orders: Mapped[int] = mapped_column(Integer, server_default="0")
    starts_at: Mapped[datetime | None] = mapped_column(_TIME)
    ends_at: Mapped[datetime | None] = mapped_column(_TIME)
    status: Mapped[str] = mapped_column(Text)
    commitment: Mapped[str | None] = mapped_column(Text)
    rules_hash: Mapped[str | None] = mapped_column(Text)
    sealed_seed: Mapped[bytes | None] = mapped_column(LargeBinary)
    seed: Mapped[str | None] = mapped_column(Text)
    stand: Mapped[dict[str, Any]] = mapped_column(JSONB)
    plays: Mapped[int] = mapped_column(BigInteger, server_default="0")
    opened_at: Mapped[datetime | None] = mapped_column(_TIME)
    closed_at: Mapped[datetime | None] = mapped_column(_TIME)
    is_demo: Mapped[bool] = mapped_column(server_default="false")
    created_at: Mapped[CreatedAt]


class PlayerRow(Base):
    """What a member used and holds in a draw."""

    __tablename__ = "draw_players"

    draw_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("draws.id"), primary_key=True)
    member_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    day: Mapped[date] = mapped_column(Date)
    free: Mapped[int] = mapped_column(Integer)
    bought: Mapped[int] = mapped_column(Integer)
    extra: Mapped[int] = mapped_column(Integer)
    attempts: Mapped[int] = mapped_column(Integer)


class PlayRow(Base):
    """A line of the log: what was drawn is never changed."""

    __tablename__ = "draw_plays"
    __table_args__ = (
        Index(None, "member_id", "at"),
        Index(None, "draw_id", "status"),
        {"postgresql_partition_by": "RANGE (at)"},
    )

    draw_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(_TIME, primary_key=True)
    member_id: Mapped[int] = mapped_column(BigInteger)
    number: Mapped[int] = mapped_column(BigInteger)
    attempt: Mapped[int] = mapped_column(Integer)
    drawn: Mapped[int | None] = mapped_column(Integer)
    prize: Mapped[int | None] = mapped_column(Integer)
    points: Mapped[int] = mapped_column(BigInteger)
    status: Mapped[str] = mapped_column(Text)
    voucher_id: Mapped[UUID | None] = mapped_column(Uuid)


class PlayKeyRow(Base):
    """Which play was made under an idempotency key."""

    __tablename__ = "draw_play_keys"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    draw_id: Mapped[int] = mapped_column(BigInteger)
    position: Mapped[int | None] = mapped_column(BigInteger)
    at: Mapped[Timestamp]


class ChanceKeyRow(Base):
    """What chances were given for, so that nothing gives them twice."""

    __tablename__ = "draw_chance_keys"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    draw_id: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[Timestamp]
