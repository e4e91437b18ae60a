"""Table of bots; tokens and webhook secrets are sealed, and found by blind index."""

from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, Float, LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from crm.db.base import Base, BigId, CreatedAt


class BotRow(Base):
    """One bot."""

    __tablename__ = "bots"

    id: Mapped[BigId]
    channel: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    username: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, server_default="active")
    stopped_reason: Mapped[str | None] = mapped_column(Text)
    is_demo: Mapped[bool] = mapped_column(server_default="false")
    mode: Mapped[str] = mapped_column(Text)
    bulk_rate: Mapped[float] = mapped_column(Float, server_default="25")
    bulk_paused_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    settings: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    token_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    token_index: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    path_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    path_index: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    webhook_secret_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[CreatedAt]
