"""Tables of check-ins: one row per member and local date, and one row per member to decide on."""

from datetime import date, datetime

from sqlalchemy import BigInteger, Date, DateTime, ForeignKey, Index, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from crm.db.base import Base, Timestamp


class CheckInRow(Base):
    """A check-in that counted."""

    __tablename__ = "check_ins"
    __table_args__ = (Index(None, "local_date", "member_id"), {"postgresql_partition_by": "RANGE (local_date)"})

    member_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    local_date: Mapped[date] = mapped_column(Date, primary_key=True)
    checked_in_at: Mapped[Timestamp]
    zone: Mapped[str] = mapped_column(Text)
    streak: Mapped[int] = mapped_column(Integer)
    channel: Mapped[str | None] = mapped_column(Text)


class StreakRow(Base):
    """Where a member stands; parallel taps are decided by its conditional upsert."""

    __tablename__ = "check_in_streaks"

    member_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("members.id"), primary_key=True, autoincrement=False)
    last_on: Mapped[date] = mapped_column(Date)
    last_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    streak: Mapped[int] = mapped_column(Integer)
    best: Mapped[int] = mapped_column(Integer)
    total: Mapped[int] = mapped_column(Integer)
