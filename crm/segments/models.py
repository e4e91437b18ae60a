"""Saved rules; an audience is never stored with them."""

from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from crm.db.base import Base, BigId, CreatedAt, Timestamp


class SegmentRow(Base):
    """One segment."""

    __tablename__ = "segments"

    id: Mapped[BigId]
    name: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text, server_default="")
    rule: Mapped[dict[str, Any]] = mapped_column(JSONB)
    version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[CreatedAt]
    changed_at: Mapped[Timestamp]
    archived_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
