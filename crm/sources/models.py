"""Table of sources; each coming through one is an event, so there is no table of touches."""

from sqlalchemy import Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from crm.db.base import Base, BigId, CreatedAt


class SourceRow(Base):
    """One source."""

    __tablename__ = "sources"

    id: Mapped[BigId]
    code: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    tags: Mapped[list[str]] = mapped_column(JSONB, server_default="[]")
    welcome: Mapped[dict[str, str]] = mapped_column(JSONB, server_default="{}")
    is_archived: Mapped[bool] = mapped_column(server_default="false")
    created_at: Mapped[CreatedAt]
