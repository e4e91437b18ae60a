"""Table of the web chat's messages."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, Index, Integer, LargeBinary, Text, Uuid, func, text
from sqlalchemy.orm import Mapped, mapped_column

from crm.db.base import Base


class ChatMessageRow(Base):
    """A message of a visitor's page; the body is sealed. Whose it is says the identity at the bot's address."""

    __tablename__ = "webchat_messages"
    __table_args__ = (
        Index(None, "bot_id", "address", "at"),
        Index(None, "changed_at"),
        Index(
            "ix_webchat_messages_unconfirmed",
            "bot_id",
            "address",
            postgresql_where=text("direction = 'out' AND confirmed_at IS NULL"),
        ),
        {"postgresql_partition_by": "RANGE (at)"},
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), primary_key=True)
    bot_id: Mapped[int] = mapped_column(BigInteger)
    address: Mapped[str] = mapped_column(Text)
    direction: Mapped[str] = mapped_column(Text)
    frame_id: Mapped[str | None] = mapped_column(Text)
    """The page's own id of what came in: the same again is the same message."""
    has_menu: Mapped[bool] = mapped_column(server_default="false")
    revision: Mapped[int] = mapped_column(Integer, server_default="0")
    body: Mapped[bytes] = mapped_column(LargeBinary)
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())
    """By the clock of the database server, for pages that ask what is new."""
    seen_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    confirmed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    """When deliveries knew that it was seen."""
