"""The table of campaigns."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, Integer, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from crm.db.base import Base, BigId, CreatedAt

_TIME = DateTime(timezone=True)


class CampaignRow(Base):
    """One campaign. `status` is what people decided; what became of the messages is derived from deliveries."""

    __tablename__ = "campaigns"
    __table_args__ = (
        Index(None, "scheduled_at", postgresql_where="status = 'scheduled'"),
        Index(None, "status"),
        Index(None, "segment_id"),
    )

    id: Mapped[BigId]
    name: Mapped[str] = mapped_column(Text)
    segment_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("segments.id"))
    message: Mapped[dict[str, Any]] = mapped_column(JSONB)
    topic: Mapped[str] = mapped_column(Text)
    message_class: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, server_default="draft")
    scheduled_at: Mapped[datetime | None] = mapped_column(_TIME)
    max_lateness_minutes: Mapped[int] = mapped_column(Integer, server_default="60")
    send_before: Mapped[datetime | None] = mapped_column(_TIME)
    stars_cap: Mapped[int | None] = mapped_column(Integer)
    """Stars that paid sending may cost; None where nothing is paid."""
    held_reason: Mapped[str | None] = mapped_column(Text)
    audience_size: Mapped[int | None] = mapped_column(Integer)
    version: Mapped[int] = mapped_column(server_default="1")
    created_by: Mapped[str] = mapped_column(Text)
    launched_by: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[CreatedAt]
    launched_at: Mapped[datetime | None] = mapped_column(_TIME)
    started_at: Mapped[datetime | None] = mapped_column(_TIME)
    finished_at: Mapped[datetime | None] = mapped_column(_TIME)
    archived_at: Mapped[datetime | None] = mapped_column(_TIME)
