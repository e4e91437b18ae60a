"""Tables of alerts and of the signs of life of processes."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import DateTime, Index, Integer, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from crm.db.base import Base, BigId, Timestamp


class AlertRow(Base):
    """One alert; it stays as history once it is resolved."""

    __tablename__ = "alerts"
    __table_args__ = (
        Index(
            "uq_alerts_kind_subject_open", "kind", "subject", unique=True, postgresql_where=text("resolved_at IS NULL")
        ),
        Index(None, "opened_at"),
    )

    id: Mapped[BigId]
    kind: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    severity: Mapped[str] = mapped_column(Text)
    detail: Mapped[str] = mapped_column(Text)
    times: Mapped[int] = mapped_column(Integer, server_default="1")
    opened_at: Mapped[Timestamp]
    last_seen_at: Mapped[Timestamp]
    acknowledged_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    acknowledged_by: Mapped[str | None] = mapped_column(Text)
    resolved_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class ProcessBeatRow(Base):
    """A running process; real time, because a process does not live on a set clock."""

    __tablename__ = "process_beats"

    instance: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    started_at: Mapped[Timestamp]
    beaten_at: Mapped[Timestamp]
