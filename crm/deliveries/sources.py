"""The sources of bulk deliveries: opening, pausing, resuming, cancelling and finishing them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.deliveries.errors import BroadcastNotFound, BroadcastOver
from crm.deliveries.models import ChunkRow, SourceRow
from crm.deliveries.policy import month_of
from crm.deliveries.types import Broadcast, BroadcastStatus, MessageClass
from crm.events.catalogue import BroadcastFinished, BroadcastPaused
from crm.events.service import publish

SourceId = int | str | UUID


async def open_source(
    session: AsyncSession,
    source_kind: str,
    source_id: SourceId,
    *,
    topic: str,
    message_class: MessageClass,
    not_before: datetime | None,
    send_before: datetime | None,
    paid_limit: int | None = None,
) -> bool:
    """Make the source unless it is there; False when it was."""
    now = await clock.now(session)
    made = await session.execute(
        insert(SourceRow)
        .values(
            source_kind=source_kind,
            source_id=str(source_id),
            source_month=month_of(now),
            topic=topic,
            message_class=message_class,
            not_before=not_before or now,
            send_before=send_before,
            paid_limit=paid_limit,
            created_at=now,
        )
        .on_conflict_do_nothing()
        .returning(SourceRow.id)
    )
    return made.scalar_one_or_none() is not None


async def locked(session: AsyncSession, source_kind: str, source_id: SourceId) -> SourceRow:
    """The source's row, locked until the transaction ends. Raises BroadcastNotFound."""
    query = _one(source_kind, source_id).with_for_update().execution_options(populate_existing=True)
    row = await session.scalar(query)
    if row is None:
        raise BroadcastNotFound(source_kind=source_kind, source_id=str(source_id))
    return row


async def found(session: AsyncSession, source_kind: str, source_id: SourceId) -> SourceRow:
    """The source's row. Raises BroadcastNotFound."""
    row = await session.scalar(_one(source_kind, source_id).execution_options(populate_existing=True))
    if row is None:
        raise BroadcastNotFound(source_kind=source_kind, source_id=str(source_id))
    return row


async def under(session: AsyncSession, source_kind: str, stem: str) -> Sequence[SourceRow]:
    """The source named `stem` and those whose names go on from there after a dot, oldest first."""
    is_ours = or_(SourceRow.source_id == stem, func.starts_with(SourceRow.source_id, f"{stem}."))
    query = select(SourceRow).where(SourceRow.source_kind == source_kind, is_ours).order_by(SourceRow.id)
    return (await session.scalars(query.execution_options(populate_existing=True))).all()


def _one(source_kind: str, source_id: SourceId) -> Select[SourceRow]:
    return select(SourceRow).where(SourceRow.source_kind == source_kind, SourceRow.source_id == str(source_id))


async def pause(
    session: AsyncSession, source_kind: str, source_id: SourceId, *, reason: str, until: datetime | None = None
) -> Broadcast:
    """Stop handing out groups of this source; it goes on by itself at `until`, if given."""
    row = await locked(session, source_kind, source_id)
    if row.status == BroadcastStatus.CANCELLED:
        raise BroadcastOver
    if row.status == BroadcastStatus.ACTIVE:
        row.status, row.paused_reason, row.resumes_at = BroadcastStatus.PAUSED, reason, until
        await session.flush()
        event = BroadcastPaused(
            member_id=None, source_kind=source_kind, source_id=str(source_id), reason=reason, until=until
        )
        await publish(session, event)
    return await as_broadcast(session, row)


async def resume(session: AsyncSession, source_kind: str, source_id: SourceId) -> Broadcast:
    """Go on with a paused source. Raises BroadcastOver."""
    row = await locked(session, source_kind, source_id)
    if row.status == BroadcastStatus.CANCELLED:
        raise BroadcastOver
    row.status, row.paused_reason, row.resumes_at, row.content_errors = BroadcastStatus.ACTIVE, None, None, 0
    await session.flush()
    return await as_broadcast(session, row)


async def cancel(session: AsyncSession, source_kind: str, source_id: SourceId) -> Broadcast:
    """Send nothing more; what is open stays `cancelled`. A group that is being sent is finished."""
    row = await locked(session, source_kind, source_id)
    row.status, row.paused_reason, row.resumes_at = BroadcastStatus.CANCELLED, None, None
    await session.flush()
    return await as_broadcast(session, row)


async def set_paid_limit(session: AsyncSession, source_kind: str, source_id: SourceId, limit: int | None) -> None:
    """Pay for at most `limit` messages of this source, those before included; None for none any more."""
    row = await locked(session, source_kind, source_id)
    row.paid_limit = limit
    await session.flush()


async def set_content_errors(session: AsyncSession, broadcast_id: int, streak: int) -> None:
    """Keep how many content errors came in a row."""
    await session.execute(update(SourceRow).where(SourceRow.id == broadcast_id).values(content_errors=streak))


async def resume_due(session: AsyncSession) -> int:
    """Wake the sources whose enforced pause is over; answers how many."""
    woken = await session.execute(
        update(SourceRow)
        .where(SourceRow.status == BroadcastStatus.PAUSED, SourceRow.resumes_at <= func.siyu_now())
        .values(status=BroadcastStatus.ACTIVE, paused_reason=None, resumes_at=None)
        .returning(SourceRow.id)
    )
    return len(woken.all())


async def finish_due(session: AsyncSession, broadcast_id: int | None = None, limit: int = 100) -> int:
    """Note and announce the sources of which nothing is open any more; answers how many.

    It is derived from the chunks, and the chunks' `is_done` from their rows, so a crash anywhere is made up for.
    """
    open_chunk = exists().where(ChunkRow.broadcast_id == SourceRow.id, ChunkRow.is_done.is_(False))
    query = select(SourceRow).where(
        SourceRow.finished_at.is_(None), or_(~open_chunk, SourceRow.status == BroadcastStatus.CANCELLED)
    )
    if broadcast_id is not None:
        query = query.where(SourceRow.id == broadcast_id)
    rows = (await session.scalars(query.limit(limit).with_for_update(skip_locked=True))).all()
    now = await clock.now(session)
    for row in rows:
        row.finished_at = now
        event = BroadcastFinished(member_id=None, source_kind=row.source_kind, source_id=row.source_id)
        await publish(session, event)
    await session.flush()
    return len(rows)


async def as_broadcast(session: AsyncSession, row: SourceRow) -> Broadcast:
    """The row as a public value, with its number of deliveries."""
    size = select(func.coalesce(func.sum(ChunkRow.size), 0)).where(ChunkRow.broadcast_id == row.id)
    return Broadcast(
        id=row.id,
        source_kind=row.source_kind,
        source_id=row.source_id,
        topic=row.topic,
        message_class=MessageClass(row.message_class),
        status=BroadcastStatus(row.status),
        paused_reason=row.paused_reason,
        resumes_at=row.resumes_at,
        not_before=row.not_before,
        send_before=row.send_before,
        total=int((await session.execute(size)).scalar_one()),
        created_at=row.created_at,
        finished_at=row.finished_at,
        paid_limit=row.paid_limit,
        paid_count=row.paid_count,
    )
