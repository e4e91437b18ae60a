"""Pictures, and the handles under which channels already know them."""

from uuid import UUID

from sqlalchemy import BigInteger, Integer, LargeBinary, Text, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from crm.db.base import Base, CreatedAt


class MediaRow(Base):
    """One picture, kept once per content."""

    __tablename__ = "media"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    sha256: Mapped[str] = mapped_column(Text, unique=True)
    content_type: Mapped[str] = mapped_column(Text)
    width: Mapped[int] = mapped_column(Integer)
    height: Mapped[int] = mapped_column(Integer)
    size: Mapped[int] = mapped_column(Integer)
    data: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[CreatedAt]


class ChannelFileRow(Base):
    """A channel's own handle for a picture, per bot: uploaded once, reused after."""

    __tablename__ = "channel_files"

    bot_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    media_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    file_id: Mapped[str] = mapped_column(Text)
