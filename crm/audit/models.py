"""The audit log: append-only, each row chained to the one before."""

from typing import Any

from sqlalchemy import LargeBinary, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from crm.db.base import Base, BigId, Timestamp


class AuditRow(Base):
    """One act."""

    __tablename__ = "audit_log"

    id: Mapped[BigId]
    at: Mapped[Timestamp]
    actor: Mapped[str] = mapped_column(Text, index=True)
    action: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text, index=True)
    content: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """before, after, ip, request_id."""
    hash: Mapped[bytes] = mapped_column(LargeBinary)
