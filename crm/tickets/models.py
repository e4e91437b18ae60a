"""Tickets; at most one is open for a member. The note is sealed."""

from datetime import datetime

from sqlalchemy import DateTime, ForeignKey, Index, Integer, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from crm.db.base import Base, BigId, CreatedAt, Timestamp


class TicketRow(Base):
    """One ticket."""

    __tablename__ = "tickets"
    __table_args__ = (
        Index(None, "member_id"),
        Index("uq_tickets_open", "member_id", unique=True, postgresql_where="status = 'open'"),
        Index(None, "status", "last_message_at"),
    )

    id: Mapped[BigId]
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id"))
    identity_id: Mapped[int | None] = mapped_column(ForeignKey("identities.id"))
    status: Mapped[str] = mapped_column(Text, server_default="open")
    note: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[CreatedAt]
    last_message_at: Mapped[Timestamp]
    answers: Mapped[int] = mapped_column(Integer, server_default="0")
    answered_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    closed_by: Mapped[str | None] = mapped_column(Text)
