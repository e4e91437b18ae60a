"""Tables of referrals: programmes, personal links, visits by month, referrals, what was given, posters, devices."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, Integer, LargeBinary, Numeric, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from crm.db.base import Base, BigId, CreatedAt, Timestamp

_TIME = DateTime(timezone=True)


class ProgrammeRow(Base):
    """One programme; its row counts the points that it gave, so whoever gives the last ones holds it."""

    __tablename__ = "referral_programmes"

    id: Mapped[BigId]
    name: Mapped[str] = mapped_column(Text)
    headline: Mapped[dict[str, str]] = mapped_column(JSONB, server_default="{}")
    act: Mapped[str] = mapped_column(Text)
    minimum_order: Mapped[Decimal | None] = mapped_column(Numeric(12, 2))
    referrer_points: Mapped[int] = mapped_column(BigInteger, server_default="0")
    referrer_coupon_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("coupons.id"))
    friend_points: Mapped[int] = mapped_column(BigInteger, server_default="0")
    friend_coupon_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("coupons.id"))
    second_percent: Mapped[int] = mapped_column(Integer, server_default="0")
    levels: Mapped[list[dict[str, Any]]] = mapped_column(JSONB, server_default="[]")
    qualify_days: Mapped[int | None] = mapped_column(Integer)
    points_last_days: Mapped[int | None] = mapped_column(Integer)
    starts_at: Mapped[datetime | None] = mapped_column(_TIME)
    ends_at: Mapped[datetime | None] = mapped_column(_TIME)
    per_referrer: Mapped[int | None] = mapped_column(Integer)
    per_hour: Mapped[int] = mapped_column(Integer)
    per_day: Mapped[int] = mapped_column(Integer)
    budget_points: Mapped[int | None] = mapped_column(BigInteger)
    spent_points: Mapped[int] = mapped_column(BigInteger, server_default="0")
    is_active: Mapped[bool] = mapped_column(server_default="true")
    is_demo: Mapped[bool] = mapped_column(server_default="false")
    created_at: Mapped[CreatedAt]


class LinkRow(Base):
    """A member's personal code; after a merge a member may have several, all of which work."""

    __tablename__ = "referral_links"

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    member_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("members.id"), index=True)
    created_at: Mapped[CreatedAt]


class TouchRow(Base):
    """Somebody came through a personal link, whatever became of it."""

    __tablename__ = "referral_touches"
    __table_args__ = (
        Index(None, "member_id"),
        Index(None, "referrer_id", "at"),
        {"postgresql_partition_by": "RANGE (at)"},
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    at: Mapped[datetime] = mapped_column(_TIME, primary_key=True)
    referrer_id: Mapped[int] = mapped_column(BigInteger)
    member_id: Mapped[int] = mapped_column(BigInteger)
    identity_id: Mapped[int] = mapped_column(BigInteger)
    outcome: Mapped[str] = mapped_column(Text)


class ReferralRow(Base):
    """A friend is bound to one referrer, once and for all."""

    __tablename__ = "referrals"
    __table_args__ = (Index(None, "referrer_id", "joined_at"), Index(None, "status", "joined_at"))

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    friend_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("members.id"), unique=True)
    referrer_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("members.id"))
    programme_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("referral_programmes.id"))
    status: Mapped[str] = mapped_column(Text)
    doubts: Mapped[list[dict[str, str]]] = mapped_column(JSONB, server_default="[]")
    joined_at: Mapped[Timestamp]
    deadline_at: Mapped[datetime | None] = mapped_column(_TIME)
    acted_at: Mapped[datetime | None] = mapped_column(_TIME)
    decided_at: Mapped[datetime | None] = mapped_column(_TIME)
    decided_by: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)


class GivenRow(Base):
    """What somebody was given, once per key."""

    __tablename__ = "referral_rewards"
    __table_args__ = (Index(None, "member_id", "given_at"), Index(None, "referral_id"))

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    programme_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("referral_programmes.id"))
    referral_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("referrals.id"))
    member_id: Mapped[int] = mapped_column(BigInteger)
    part: Mapped[str] = mapped_column(Text)
    friends: Mapped[int | None] = mapped_column(Integer)
    points: Mapped[int] = mapped_column(BigInteger, server_default="0")
    transaction_id: Mapped[UUID | None] = mapped_column(Uuid)
    voucher_id: Mapped[UUID | None] = mapped_column(Uuid)
    problem: Mapped[str | None] = mapped_column(Text)
    given_at: Mapped[Timestamp]
    taken_back_at: Mapped[datetime | None] = mapped_column(_TIME)
    remains: Mapped[str | None] = mapped_column(Text)


class PosterRow(Base):
    """A poster that was drawn; the digest is that of everything that is on it."""

    __tablename__ = "referral_posters"

    digest: Mapped[str] = mapped_column(Text, primary_key=True)
    member_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("members.id"), index=True)
    media_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("media.id"))
    created_at: Mapped[CreatedAt]


class DeviceRow(Base):
    """A member was seen on a device; of the device only a keyed digest is known."""

    __tablename__ = "referral_devices"
    __table_args__ = (Index(None, "fingerprint"),)

    member_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("members.id"), primary_key=True, autoincrement=False)
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    seen_at: Mapped[Timestamp]
