"""Tables of recovery: few rows, read by the statements that claim what is to be sent."""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from crm.db.base import Base, BigId, CreatedAt, Timestamp


class SafeModeRow(Base):
    """A time in which nothing is sent, from a restore until an operator ends it; at most one is open."""

    __tablename__ = "safe_mode"
    __table_args__ = (
        Index("uq_safe_mode_open", text("(ended_at IS NULL)"), unique=True, postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[BigId]
    started_at: Mapped[CreatedAt]
    backup_made_at: Mapped[Timestamp]
    last_reply: Mapped[int] = mapped_column(BigInteger)
    """The highest position of a reply that was open in the backup: it and those before it wait."""
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ended_by: Mapped[str | None] = mapped_column(Text)


class BackupRow(Base):
    """A backup that was written to its end."""

    __tablename__ = "backups"

    id: Mapped[BigId]
    made_at: Mapped[Timestamp]
    name: Mapped[str] = mapped_column(Text)
    size: Mapped[int] = mapped_column(BigInteger)
    sha256: Mapped[str] = mapped_column(Text)
