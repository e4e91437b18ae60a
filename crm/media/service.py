"""Storing and reading pictures."""

import asyncio
import hashlib
from uuid import UUID, uuid4

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.kit.parts import make_part
from crm.media.errors import MediaNotFoundError
from crm.media.models import ChannelFileRow, MediaRow
from crm.media.types import Media

_PUBLIC = (MediaRow.id, MediaRow.sha256, MediaRow.content_type, MediaRow.width, MediaRow.height, MediaRow.size)


async def store_image(session: AsyncSession, data: bytes) -> Media:
    """Re-encode and store a picture; the same content gives the same id. Raises a subclass of InvalidError."""
    # Senders read pictures and never draw one: what draws is loaded by who does.
    drawn = await asyncio.to_thread(make_part, "crm.media.policy:redraw", data)
    digest = hashlib.sha256(drawn.data).hexdigest()
    values = {
        "id": uuid4(),
        "sha256": digest,
        "content_type": drawn.content_type,
        "width": drawn.width,
        "height": drawn.height,
        "size": len(drawn.data),
        "data": drawn.data,
    }
    await session.execute(insert(MediaRow).values(values).on_conflict_do_nothing(index_elements=["sha256"]))
    row = (await session.execute(select(*_PUBLIC).where(MediaRow.sha256 == digest))).one()
    return Media(*row)


async def get(session: AsyncSession, media_id: UUID) -> Media:
    """A picture without its bytes. Raises MediaNotFoundError."""
    row = (await session.execute(select(*_PUBLIC).where(MediaRow.id == media_id))).one_or_none()
    if row is None:
        raise MediaNotFoundError
    return Media(*row)


async def read(session: AsyncSession, media_id: UUID) -> tuple[str, bytes]:
    """(content type, bytes) of a picture. Raises MediaNotFoundError."""
    row = (await session.execute(select(MediaRow.content_type, MediaRow.data).where(MediaRow.id == media_id))).first()
    if row is None:
        raise MediaNotFoundError
    return row.content_type, row.data


async def channel_file(session: AsyncSession, bot_id: int, media_id: UUID) -> str | None:
    """The bot's handle for this picture, if it was uploaded before."""
    query = select(ChannelFileRow.file_id).where(ChannelFileRow.bot_id == bot_id, ChannelFileRow.media_id == media_id)
    return (await session.execute(query)).scalar_one_or_none()


async def remember_channel_file(session: AsyncSession, bot_id: int, media_id: UUID, file_id: str) -> None:
    """Keep the handle that the channel gave."""
    row = insert(ChannelFileRow).values(bot_id=bot_id, media_id=media_id, file_id=file_id)
    await session.execute(row.on_conflict_do_update(index_elements=["bot_id", "media_id"], set_={"file_id": file_id}))


async def forget_channel_file(session: AsyncSession, bot_id: int, media_id: UUID) -> None:
    """The channel no longer knows the handle: upload again next time."""
    await session.execute(
        delete(ChannelFileRow).where(ChannelFileRow.bot_id == bot_id, ChannelFileRow.media_id == media_id)
    )
