"""The brand's single row."""

from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, SmallInteger, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from crm.db.base import Base


class BrandRow(Base):
    """One row with the key 1; what is structured is kept as JSON."""

    __tablename__ = "brand"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(Text)
    logo_media_id: Mapped[UUID | None] = mapped_column(Uuid)
    time_zone: Mapped[str] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(Text)
    default_locale: Mapped[str] = mapped_column(Text)
    terms_version: Mapped[str] = mapped_column(Text)
    settings: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """locales, embed_origins, quiet_hours, frequency_cap, terms, points_shortfall, point_value."""
