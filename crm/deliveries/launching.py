"""Snapshot of an audience into deliveries and their chunks, in one statement."""

from typing import Any

from sqlalchemy import BigInteger, Date, Integer, Select, and_, cast, exists, func, insert, literal, select, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncSession

from crm.deliveries.models import BulkDeliveryRow, ChunkRow, SourceRow
from crm.deliveries.policy import CHUNK
from crm.members import views as members

_NO_BOT = 0


_ROOM = text("SET LOCAL work_mem = '64MB'")
"""For one statement of one operator at a time: what does not fit is sorted on the disk, at twice the time."""


async def insert_audience(session: AsyncSession, source: SourceRow, audience: Select[Any], step: int) -> int:
    """Make one delivery for each member of `audience` (its first column) that has none of this step yet.

    Chunks hold members of one bot, that of the last active reachable identity; answers how many were made. The caller
    holds the lock of the source's row.
    """
    wanted = _numbered(source, audience, step)
    chunks = _chunks(source, wanted)
    rows = select(
        cast(literal(source.id), BigInteger),
        wanted.c.member_id,
        cast(literal(step), Integer),
        cast(literal(source.source_month), Date),
        # Made by the server in C; one of version 7, put together in SQL, takes ten times as long as all the rest.
        func.gen_random_uuid(),
        chunks.c.id,
    ).join_from(wanted, chunks, and_(chunks.c.part == wanted.c.part, chunks.c.bot_id == wanted.c.bot_id))
    columns = ["broadcast_id", "member_id", "step", "source_month", "id", "chunk_id"]
    await session.execute(_ROOM)
    result = await session.execute(insert(BulkDeliveryRow).from_select(columns, rows))
    assert isinstance(result, CursorResult)
    return result.rowcount


def _numbered(source: SourceRow, audience: Select[Any], step: int) -> Any:
    """Who is to get it, with the bot of their home (0 without one) and the number of their chunk among its chunks."""
    asked = audience.subquery("asked")
    member_id = next(iter(asked.c))
    homes = (
        select(members.identities.c.member_id, members.identities.c.bot_id)
        .where(members.identities.c.is_reachable)
        .ext(distinct_on(members.identities.c.member_id))
        .order_by(members.identities.c.member_id, members.identities.c.last_seen_at.desc())
        .subquery("homes")
    )
    present = exists().where(
        BulkDeliveryRow.broadcast_id == source.id,
        BulkDeliveryRow.source_month == source.source_month,
        BulkDeliveryRow.step == step,
        BulkDeliveryRow.member_id == member_id,
    )
    # Deduplicated: a hand-written audience may name a member twice.
    fresh = select(member_id.label("member_id")).where(~present).distinct().subquery("fresh")
    bot_id = func.coalesce(homes.c.bot_id, _NO_BOT)
    number = func.row_number().over(partition_by=bot_id, order_by=fresh.c.member_id)
    part = cast(number - 1, Integer).op("/")(CHUNK).label("part")
    joined = fresh.outerjoin(homes, homes.c.member_id == fresh.c.member_id)
    return select(fresh.c.member_id, bot_id.label("bot_id"), part).select_from(joined).cte("wanted")


def _chunks(source: SourceRow, wanted: Any) -> Any:
    grouped = select(
        literal(source.id),
        func.nullif(wanted.c.bot_id, _NO_BOT),
        wanted.c.part,
        func.count(),
        func.min(wanted.c.member_id),
        func.max(wanted.c.member_id),
        literal(source.not_before),
    ).group_by(wanted.c.bot_id, wanted.c.part)
    columns = ["broadcast_id", "bot_id", "part", "size", "first_member_id", "last_member_id", "not_before"]
    return (
        insert(ChunkRow)
        .from_select(columns, grouped)
        .returning(ChunkRow.id, func.coalesce(ChunkRow.bot_id, _NO_BOT).label("bot_id"), ChunkRow.part)
        .cte("chunks")
    )
