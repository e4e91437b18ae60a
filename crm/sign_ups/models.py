"""Table of sign-ups: what each member agreed to, where and when."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, ForeignKey, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from crm.db.base import Base, Timestamp


class SignUpRow(Base):
    """A finished sign-up."""

    __tablename__ = "sign_ups"

    member_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("members.id"), primary_key=True, autoincrement=False)
    channel: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    source_id: Mapped[int | None] = mapped_column(BigInteger)
    terms_version: Mapped[str] = mapped_column(Text)
    has_agreed_to_news: Mapped[bool] = mapped_column()
    event_id: Mapped[UUID] = mapped_column(Uuid)
    event_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    completed_at: Mapped[Timestamp]
