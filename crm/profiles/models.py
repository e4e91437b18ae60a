"""Table of profiles: one row of derived facts per member, read by segments, gates and lists."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import BigInteger, Date, DateTime, ForeignKey, Index, Integer, Numeric, Text, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from crm.db.base import Base, CreatedAt

_TIME = DateTime(timezone=True)
_SIGN_UP = "(EXTRACT(month FROM timezone('UTC', signed_up_at)) * 100 + EXTRACT(day FROM timezone('UTC', signed_up_at)))"


class ProfileRow(Base):
    """The derived facts of one member."""

    __tablename__ = "profiles"
    __table_args__ = (
        Index(None, "tag_ids", postgresql_using="gin", postgresql_ops={"tag_ids": "gin__int_ops"}),
        Index(None, "stage"),
        Index(None, "last_check_in_on"),
        Index(None, "signed_up_at"),
        Index(None, "last_order_at"),
        Index("ix_profiles_sign_up_in_year", text(_SIGN_UP), postgresql_where=text("signed_up_at IS NOT NULL")),
    )

    member_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("members.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    is_active: Mapped[bool] = mapped_column(server_default="true")
    stage: Mapped[str] = mapped_column(Text, server_default="lead")
    grade: Mapped[str | None] = mapped_column(Text)
    tier: Mapped[str | None] = mapped_column(Text)
    multiplier: Mapped[Decimal] = mapped_column(Numeric(6, 3), server_default="1")
    points_balance: Mapped[int] = mapped_column(BigInteger, server_default="0")
    streak: Mapped[int] = mapped_column(Integer, server_default="0")
    last_check_in_on: Mapped[date | None] = mapped_column(Date)
    check_ins_count: Mapped[int] = mapped_column(Integer, server_default="0")
    orders_count: Mapped[int] = mapped_column(Integer, server_default="0")
    orders_total: Mapped[Decimal] = mapped_column(Numeric(18, 2), server_default="0")
    first_order_at: Mapped[datetime | None] = mapped_column(_TIME)
    last_order_at: Mapped[datetime | None] = mapped_column(_TIME)
    last_seen_at: Mapped[datetime | None] = mapped_column(_TIME)
    signed_up_at: Mapped[datetime | None] = mapped_column(_TIME)
    locale: Mapped[str] = mapped_column(Text)
    tag_ids: Mapped[list[int]] = mapped_column(ARRAY(Integer), server_default="{}")
    segment_ids: Mapped[list[int]] = mapped_column(ARRAY(Integer), server_default="{}")
    first_source_id: Mapped[int | None] = mapped_column(BigInteger)
    last_source_id: Mapped[int | None] = mapped_column(BigInteger)
    joined_at: Mapped[CreatedAt]
    is_reachable: Mapped[bool] = mapped_column(server_default="true")
