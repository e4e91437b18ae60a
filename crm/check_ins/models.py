"""Tables of check-ins: days and standings, the programme with its milestones, make-up cards, the leaderboard."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Date, DateTime, ForeignKey, Index, Integer, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from crm.db.base import Base, BigId, CreatedAt, Timestamp


class CheckInRow(Base):
    """A day that counts: checked in, or missed and filled afterwards; then `checked_in_at` is when it was filled."""

    __tablename__ = "check_ins"
    __table_args__ = (Index(None, "local_date", "member_id"), {"postgresql_partition_by": "RANGE (local_date)"})

    member_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    local_date: Mapped[date] = mapped_column(Date, primary_key=True)
    checked_in_at: Mapped[Timestamp]
    zone: Mapped[str] = mapped_column(Text)
    streak: Mapped[int] = mapped_column(Integer)
    channel: Mapped[str | None] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text, server_default="checked_in")


class StreakRow(Base):
    """Where a member stands; parallel taps are decided by its conditional upsert, make-ups by its lock."""

    __tablename__ = "check_in_streaks"

    member_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("members.id"), primary_key=True, autoincrement=False)
    last_on: Mapped[date] = mapped_column(Date)
    last_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    streak: Mapped[int] = mapped_column(Integer)
    best: Mapped[int] = mapped_column(Integer)
    total: Mapped[int] = mapped_column(Integer)
    zone: Mapped[str | None] = mapped_column(Text)
    """Of the last check-in; None until the first one since zones are kept here."""


class ProgrammeRow(Base):
    """What operators chose; there is one row at most, and none as long as nobody chose anything."""

    __tablename__ = "check_in_programmes"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    days_back: Mapped[int] = mapped_column(Integer)
    make_ups_per_month: Mapped[int | None] = mapped_column(Integer)
    made_up_points: Mapped[int] = mapped_column(BigInteger)
    has_made_up_milestones: Mapped[bool]
    card_price: Mapped[int | None] = mapped_column(BigInteger)
    bought_per_month: Mapped[int | None] = mapped_column(Integer)
    most_cards: Mapped[int] = mapped_column(Integer)
    cards_for: Mapped[dict[str, int]] = mapped_column(JSONB)
    insurance: Mapped[str] = mapped_column(Text)
    passes_per_month: Mapped[int] = mapped_column(Integer)
    insured_days: Mapped[int] = mapped_column(Integer)
    insured_from: Mapped[int] = mapped_column(Integer)
    has_leaderboard: Mapped[bool]
    places: Mapped[int] = mapped_column(Integer)


class MilestoneRow(Base):
    """What a streak of so many days gives; one active milestone a day."""

    __tablename__ = "check_in_milestones"
    __table_args__ = (Index(None, "day", unique=True, postgresql_where=text("is_active")),)

    id: Mapped[BigId]
    day: Mapped[int] = mapped_column(Integer)
    is_repeated: Mapped[bool]
    points: Mapped[int] = mapped_column(BigInteger)
    coupon_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("coupons.id"))
    cards: Mapped[int] = mapped_column(Integer)
    badge: Mapped[dict[str, str]] = mapped_column(JSONB)
    is_active: Mapped[bool] = mapped_column(server_default="true")
    created_at: Mapped[CreatedAt]


class GiftRow(Base):
    """A milestone that a member reached, by the day that completed it."""

    __tablename__ = "check_in_gifts"
    __table_args__ = ({"postgresql_partition_by": "RANGE (reached_on)"},)

    member_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    milestone_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    reached_on: Mapped[date] = mapped_column(Date, primary_key=True)
    days: Mapped[int] = mapped_column(Integer)
    points: Mapped[int] = mapped_column(BigInteger)
    cards: Mapped[int] = mapped_column(Integer)
    voucher_id: Mapped[UUID | None] = mapped_column(Uuid)
    badge: Mapped[dict[str, Any]] = mapped_column(JSONB)
    given_at: Mapped[Timestamp]


class CardsRow(Base):
    """How many make-up cards a member holds."""

    __tablename__ = "check_in_cards"
    __table_args__ = (CheckConstraint("cards >= 0", name="not_negative"),)

    member_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("members.id"), primary_key=True, autoincrement=False)
    cards: Mapped[int] = mapped_column(Integer)


class CardMoveRow(Base):
    """Why cards came or went, once per key."""

    __tablename__ = "check_in_card_moves"
    __table_args__ = (Index(None, "member_id", "at"),)

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    member_id: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[Timestamp]
    change: Mapped[int] = mapped_column(Integer)
    cause: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)


class LeaderRow(Base):
    """A member who wants to be on the leaderboard, under an alias or their own name."""

    __tablename__ = "check_in_leaders"

    member_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("members.id"), primary_key=True, autoincrement=False)
    alias: Mapped[str | None] = mapped_column(Text)
    joined_at: Mapped[Timestamp]
