"""Tables of members, their identities and attribute definitions."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import BigInteger, Date, DateTime, ForeignKey, Index, Integer, LargeBinary, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from crm.db.base import Base, BigId, CreatedAt

_TIME = DateTime(timezone=True)


def _trigrams(column: str) -> Index:
    return Index(None, column, postgresql_using="gin", postgresql_ops={column: "gin_trgm_ops"})


class MemberRow(Base):
    """One person; personal data is sealed and found by blind index."""

    __tablename__ = "members"
    __table_args__ = (
        _trigrams("display_name"),
        Index(None, "phone_index"),
        Index(None, "phone_tail_index"),
        Index(None, "email_index"),
        Index(None, "merged_into_id"),
        Index(None, "first_source_id"),
        Index(
            "ix_members_birthday_in_year",
            text("(EXTRACT(month FROM birthday) * 100 + EXTRACT(day FROM birthday))"),
            postgresql_where=text("birthday IS NOT NULL"),
        ),
    )

    id: Mapped[BigId]
    display_name: Mapped[str] = mapped_column(Text)
    locale: Mapped[str] = mapped_column(Text)
    time_zone: Mapped[str | None] = mapped_column(Text)
    next_time_zone: Mapped[str | None] = mapped_column(Text)
    zone_changes_at: Mapped[datetime | None] = mapped_column(_TIME)
    signed_up_at: Mapped[datetime | None] = mapped_column(_TIME)
    birthday: Mapped[date | None] = mapped_column(Date)
    phone_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_tail_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    is_phone_verified: Mapped[bool] = mapped_column(server_default="false")
    email_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    email_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    attributes: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    personal_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    status: Mapped[str] = mapped_column(Text, server_default="active")
    merged_into_id: Mapped[int | None] = mapped_column(BigInteger, ForeignKey("members.id"))
    first_source_id: Mapped[int | None] = mapped_column(BigInteger)
    last_source_id: Mapped[int | None] = mapped_column(BigInteger)
    is_demo: Mapped[bool] = mapped_column(server_default="false")
    created_at: Mapped[CreatedAt]
    last_seen_at: Mapped[CreatedAt]
    version: Mapped[int] = mapped_column(Integer, server_default="1")


class IdentityRow(Base):
    """A member's account on one channel, unique per bot and address."""

    __tablename__ = "identities"
    __table_args__ = (
        UniqueConstraint("bot_id", "address"),
        Index(None, "member_id"),
        Index(None, "address"),
        _trigrams("display_name"),
        _trigrams("username"),
    )

    id: Mapped[BigId]
    member_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("members.id"))
    bot_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("bots.id"))
    channel: Mapped[str] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text)
    display_name: Mapped[str] = mapped_column(Text)
    username: Mapped[str | None] = mapped_column(Text)
    is_reachable: Mapped[bool] = mapped_column(server_default="true")
    unreachable_reason: Mapped[str | None] = mapped_column(Text)
    last_seen_at: Mapped[CreatedAt]
    created_at: Mapped[CreatedAt]


class AttributeDefinitionRow(Base):
    """A field that operators added to members."""

    __tablename__ = "attribute_definitions"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    label: Mapped[dict[str, str]] = mapped_column(JSONB)
    type: Mapped[str] = mapped_column(Text)
    choices: Mapped[list[str]] = mapped_column(JSONB, server_default="[]")
    is_personal: Mapped[bool] = mapped_column(server_default="false")
    is_archived: Mapped[bool] = mapped_column(server_default="false")
    created_at: Mapped[CreatedAt]


class MergeRow(Base):
    """One merge of two members, with what each capability needs to undo it; personal parts are sealed."""

    __tablename__ = "member_merges"
    __table_args__ = (Index(None, "keep_id"), Index(None, "drop_id"))

    id: Mapped[BigId]
    keep_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("members.id"))
    drop_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("members.id"))
    by: Mapped[str] = mapped_column(Text)
    records_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    merged_at: Mapped[CreatedAt]
    undone_at: Mapped[datetime | None] = mapped_column(_TIME)
    undone_by: Mapped[str | None] = mapped_column(Text)


class LinkCodeRow(Base):
    """A six-digit code that proves that two chats belong to one person; only its blind index is kept."""

    __tablename__ = "link_codes"
    __table_args__ = (Index(None, "member_id"), Index(None, "expires_at"))

    code_index: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    member_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("members.id"))
    identity_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("identities.id"))
    expires_at: Mapped[datetime] = mapped_column(_TIME)


class LinkAttemptRow(Base):
    """Wrong codes that an identity typed lately."""

    __tablename__ = "link_attempts"

    identity_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("identities.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    window_ends_at: Mapped[datetime] = mapped_column(_TIME)
    attempts: Mapped[int] = mapped_column(Integer)
