"""Tables of topics, the append-only record of consents, and where each stands now."""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, ForeignKey, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from crm.db.base import Base, BigId, CreatedAt


class TopicRow(Base):
    """One topic."""

    __tablename__ = "consent_topics"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[dict[str, str]] = mapped_column(JSONB)
    is_default: Mapped[bool] = mapped_column(server_default="false")
    is_archived: Mapped[bool] = mapped_column(server_default="false")
    created_at: Mapped[CreatedAt]


class ConsentRow(Base):
    """One decision, with its proof; never changed, and kept as long as the member is."""

    __tablename__ = "consents"
    __table_args__ = (Index(None, "member_id"),)

    id: Mapped[BigId]
    member_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("members.id"))
    channel: Mapped[str] = mapped_column(Text)
    topic: Mapped[str] = mapped_column(Text, ForeignKey("consent_topics.key"))
    is_given: Mapped[bool]
    text_version: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    proof: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class ConsentStateRow(Base):
    """The last decision per member, channel and topic: what the gates read."""

    __tablename__ = "consent_states"

    member_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("members.id"), primary_key=True, autoincrement=False)
    channel: Mapped[str] = mapped_column(Text, primary_key=True)
    topic: Mapped[str] = mapped_column(Text, ForeignKey("consent_topics.key"), primary_key=True)
    is_given: Mapped[bool]
    text_version: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
