"""Tables of rewards and redemptions. Redemptions are partitioned by month; their keys stand beside them."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from crm.db.base import Base, BigId, CreatedAt, Timestamp

_TIME = DateTime(timezone=True)


class RewardRow(Base):
    """One reward; its row counts the stock, so whoever takes the last one holds it."""

    __tablename__ = "rewards"
    __table_args__ = (CheckConstraint("stock >= 0", name="stock"),)

    id: Mapped[BigId]
    name: Mapped[dict[str, str]] = mapped_column(JSONB)
    description: Mapped[dict[str, str]] = mapped_column(JSONB, server_default="{}")
    kind: Mapped[str] = mapped_column(Text)
    points: Mapped[int] = mapped_column(BigInteger)
    amount: Mapped[Decimal | None] = mapped_column(Numeric(12, 2))
    coupon_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("coupons.id"))
    photo_media_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("media.id"))
    stock: Mapped[int | None] = mapped_column(BigInteger)
    limit_per_member: Mapped[int | None] = mapped_column(Integer)
    tiers: Mapped[list[str]] = mapped_column(JSONB, server_default="[]")
    tier_limits: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    starts_at: Mapped[datetime | None] = mapped_column(_TIME)
    ends_at: Mapped[datetime | None] = mapped_column(_TIME)
    needs_address: Mapped[bool] = mapped_column(server_default="false")
    position: Mapped[int] = mapped_column(Integer, server_default="0")
    is_active: Mapped[bool] = mapped_column(server_default="true")
    redeemed: Mapped[int] = mapped_column(BigInteger, server_default="0")
    is_demo: Mapped[bool] = mapped_column(server_default="false")
    created_at: Mapped[CreatedAt]


class RewardCountRow(Base):
    """How many of a reward a member has had."""

    __tablename__ = "reward_member_counts"

    reward_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("rewards.id"), primary_key=True)
    member_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    redeemed: Mapped[int] = mapped_column(Integer)


class RedemptionRow(Base):
    """One redemption; the month of `at` is told by its id."""

    __tablename__ = "redemptions"
    __table_args__ = (
        Index(None, "member_id", "at"),
        Index(None, "status", "at"),
        {"postgresql_partition_by": "RANGE (at)"},
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    at: Mapped[datetime] = mapped_column(_TIME, primary_key=True)
    reward_id: Mapped[int] = mapped_column(BigInteger)
    member_id: Mapped[int] = mapped_column(BigInteger)
    points: Mapped[int] = mapped_column(BigInteger)
    amount: Mapped[Decimal | None] = mapped_column(Numeric(12, 2))
    status: Mapped[str] = mapped_column(Text)
    transaction_id: Mapped[UUID] = mapped_column(Uuid)
    voucher_id: Mapped[UUID | None] = mapped_column(Uuid)
    address: Mapped[bytes | None] = mapped_column(LargeBinary)
    tracking: Mapped[str | None] = mapped_column(Text)
    changed_at: Mapped[CreatedAt]
    changed_by: Mapped[str | None] = mapped_column(Text)


class RedemptionKeyRow(Base):
    """Which redemption was made under an idempotency key."""

    __tablename__ = "redemption_keys"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    redemption_id: Mapped[UUID] = mapped_column(Uuid)
    at: Mapped[Timestamp]
