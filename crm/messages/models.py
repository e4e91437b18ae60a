"""Operators' messages, and their wording of the shipped conversations."""

from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from crm.db.base import Base, BigId, CreatedAt, Timestamp


class TemplateRow(Base):
    """A reusable message."""

    __tablename__ = "message_templates"

    id: Mapped[BigId]
    name: Mapped[str] = mapped_column(Text)
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[CreatedAt]
    changed_at: Mapped[Timestamp]
    archived_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class FlowTextRow(Base):
    """An operator's wording of a flow's text; wins over the shipped file until it is reset."""

    __tablename__ = "flow_texts"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    locale: Mapped[str] = mapped_column(Text, primary_key=True)
    source: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[Timestamp]
