"""Tables of coupons and vouchers.

Vouchers and their log are partitioned by month; what must be unique over all months stands in key tables beside them.
"""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Index, Integer, Numeric, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from crm.db.base import Base, BigId, CreatedAt, Timestamp

_TIME = DateTime(timezone=True)


class CouponRow(Base):
    """One coupon. The row counts what was issued, so whoever issues the last one holds it."""

    __tablename__ = "coupons"
    __table_args__ = (CheckConstraint("limit_total IS NULL OR issued <= limit_total", name="limit"),)

    id: Mapped[BigId]
    name: Mapped[dict[str, str]] = mapped_column(JSONB)
    description: Mapped[dict[str, str]] = mapped_column(JSONB, server_default="{}")
    kind: Mapped[str] = mapped_column(Text)
    value: Mapped[Decimal | None] = mapped_column(Numeric(12, 2))
    most: Mapped[Decimal | None] = mapped_column(Numeric(12, 2))
    minimum_spend: Mapped[Decimal | None] = mapped_column(Numeric(12, 2))
    stacking: Mapped[str] = mapped_column(Text)
    starts_at: Mapped[datetime | None] = mapped_column(_TIME)
    ends_at: Mapped[datetime | None] = mapped_column(_TIME)
    valid_days: Mapped[int | None] = mapped_column(Integer)
    limit_total: Mapped[int | None] = mapped_column(BigInteger)
    limit_per_member: Mapped[int | None] = mapped_column(BigInteger)
    code_source: Mapped[str] = mapped_column(Text)
    pattern: Mapped[str | None] = mapped_column(Text)
    shared_code: Mapped[str | None] = mapped_column(Text, unique=True)
    is_active: Mapped[bool] = mapped_column(server_default="true")
    issued: Mapped[int] = mapped_column(BigInteger, server_default="0")
    is_demo: Mapped[bool] = mapped_column(server_default="false")
    created_at: Mapped[CreatedAt]


class CodeRow(Base):
    """A code of a pool."""

    __tablename__ = "coupon_codes"
    __table_args__ = (Index(None, "coupon_id", "position", postgresql_where=text("NOT is_taken")),)

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    coupon_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("coupons.id"))
    position: Mapped[int] = mapped_column(Integer)
    is_taken: Mapped[bool] = mapped_column(server_default="false")


class MemberCountRow(Base):
    """How many vouchers of a coupon a member was issued."""

    __tablename__ = "coupon_member_counts"

    coupon_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("coupons.id"), primary_key=True)
    member_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    issued: Mapped[int] = mapped_column(BigInteger)


class VoucherRow(Base):
    """One issued voucher; the month of `issued_at` is told by its id."""

    __tablename__ = "vouchers"
    __table_args__ = (
        Index(None, "member_id", "issued_at"),
        Index(None, "coupon_id", "issued_at"),
        Index(None, "expires_at", postgresql_where=text("status = 'issued' AND expires_at IS NOT NULL")),
        {"postgresql_partition_by": "RANGE (issued_at)"},
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    issued_at: Mapped[datetime] = mapped_column(_TIME, primary_key=True)
    coupon_id: Mapped[int] = mapped_column(BigInteger)
    member_id: Mapped[int] = mapped_column(BigInteger)
    code: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    valid_from: Mapped[Timestamp]
    expires_at: Mapped[datetime | None] = mapped_column(_TIME)
    source: Mapped[str] = mapped_column(Text)
    used_at: Mapped[datetime | None] = mapped_column(_TIME)
    used_by: Mapped[str | None] = mapped_column(Text)
    used_key: Mapped[str | None] = mapped_column(Text)
    reference: Mapped[str | None] = mapped_column(Text)


class VoucherCodeRow(Base):
    """What makes a voucher's code unique, and finds it."""

    __tablename__ = "voucher_codes"

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    """As it is compared: capitals and digits only."""
    voucher_id: Mapped[UUID] = mapped_column(Uuid)
    issued_at: Mapped[Timestamp]


class VoucherKeyRow(Base):
    """Which voucher was issued under an idempotency key."""

    __tablename__ = "voucher_keys"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    voucher_id: Mapped[UUID] = mapped_column(Uuid)
    issued_at: Mapped[Timestamp]


class VoucherLogRow(Base):
    """What happened to vouchers. Never changed."""

    __tablename__ = "voucher_log"
    __table_args__ = (Index(None, "voucher_id"), {"postgresql_partition_by": "RANGE (at)"})

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    at: Mapped[datetime] = mapped_column(_TIME, primary_key=True)
    voucher_id: Mapped[UUID] = mapped_column(Uuid)
    act: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(Text)
    detail: Mapped[str | None] = mapped_column(Text)


class UseKeyRow(Base):
    """Which vouchers were used under an idempotency key of the counter."""

    __tablename__ = "voucher_use_keys"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    codes: Mapped[list[str]] = mapped_column(JSONB)
    discount: Mapped[Decimal | None] = mapped_column(Numeric(12, 2))
    at: Mapped[CreatedAt]
