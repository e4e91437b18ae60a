"""Tables of tags, of the members who carry them, and of the rules that give them."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, Index, Integer, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from crm.db.base import Base, BigId, CreatedAt


class TagRow(Base):
    """One tag; the id is a plain integer because profiles hold arrays of them."""

    __tablename__ = "tags"
    __table_args__ = (UniqueConstraint("group_name", "name"),)

    id: Mapped[int] = mapped_column(Integer, Identity(always=False), primary_key=True)
    group_name: Mapped[str] = mapped_column(Text, server_default="")
    name: Mapped[str] = mapped_column(Text)
    is_archived: Mapped[bool] = mapped_column(server_default="false")
    created_at: Mapped[CreatedAt]


class MemberTagRow(Base):
    """A tag on a member; the profile's `tag_ids` follow."""

    __tablename__ = "member_tags"
    __table_args__ = (
        Index(None, "tag_id", "member_id"),
        Index(None, "expires_at", postgresql_where="expires_at IS NOT NULL"),
    )

    member_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("members.id"), primary_key=True, autoincrement=False)
    tag_id: Mapped[int] = mapped_column(Integer, ForeignKey("tags.id"), primary_key=True, autoincrement=False)
    source: Mapped[str] = mapped_column(Text)
    source_ref: Mapped[str | None] = mapped_column(Text)
    added_at: Mapped[CreatedAt]
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class TagRuleRow(Base):
    """A rule that operators made: on such an event, add this tag."""

    __tablename__ = "tag_rules"
    __table_args__ = (Index(None, "event_kind"),)

    id: Mapped[BigId]
    name: Mapped[str] = mapped_column(Text)
    event_kind: Mapped[str] = mapped_column(Text)
    where: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    tag_id: Mapped[int] = mapped_column(Integer, ForeignKey("tags.id"))
    is_active: Mapped[bool] = mapped_column(server_default="true")
    created_at: Mapped[CreatedAt]
