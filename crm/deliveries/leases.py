"""Leases of chunks: taken, kept alive and given back by the clock of the database server, with a fencing number."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import INTERVAL
from sqlalchemy.ext.asyncio import AsyncSession

from crm.bots import views as bots
from crm.db import clock
from crm.deliveries.doubts import settle_doubts
from crm.deliveries.errors import LeaseLost
from crm.deliveries.models import ChunkRow, SourceRow
from crm.deliveries.types import BroadcastStatus, MessageClass
from crm.recovery import views as recovery

LEASE = timedelta(seconds=15)
_SERVER_NOW = func.clock_timestamp()


@dataclass(frozen=True)
class Lease:
    """A chunk that this sender owns for the moment."""

    chunk_id: int
    fence: int
    broadcast_id: int
    source_kind: str
    source_id: str
    source_month: date
    topic: str
    message_class: MessageClass
    send_before: datetime | None
    content_errors: int
    bot_id: int | None
    first_member_id: int
    last_member_id: int
    bulk_rate: float | None
    """Messages a second that the chunk's bot may send."""
    has_history: bool
    """Leased before: some of its deliveries may have results."""


def _until(length: timedelta) -> Any:
    return _SERVER_NOW + literal(length, INTERVAL)


def _served(channels: Collection[str], busy: Collection[int]) -> Any:
    bot = bots.bots.c
    is_free = or_(bot.bulk_paused_until.is_(None), bot.bulk_paused_until <= func.siyu_now())
    return select(bot.id).where(bot.channel.in_(channels), bot.status == "active", is_free, bot.id.not_in(busy))


async def take(
    session: AsyncSession,
    owner: str,
    channels: Collection[str],
    *,
    busy: Collection[int] = (),
    length: timedelta = LEASE,
) -> Lease | None:
    """Lease the next chunk that is due and whose bot may send on one of `channels`; None when there is none.

    In the safe mode nothing is handed out.

    Bots that are `busy` in this process already are passed over.

    Doubts that an earlier owner left behind are settled first.
    """
    free = or_(ChunkRow.lease_until.is_(None), ChunkRow.lease_until < _SERVER_NOW)
    due = (
        select(ChunkRow.id, ChunkRow.fence, ChunkRow.lease_owner)
        .join(SourceRow, SourceRow.id == ChunkRow.broadcast_id)
        .where(
            ChunkRow.is_done.is_(False),
            ChunkRow.not_before <= func.siyu_now(),
            free,
            SourceRow.status == BroadcastStatus.ACTIVE,
            ~recovery.is_on(),
            or_(ChunkRow.bot_id.is_(None), ChunkRow.bot_id.in_(_served(channels, busy))),
        )
        .order_by(ChunkRow.part, ChunkRow.id)
        .limit(1)
        .with_for_update(of=ChunkRow, skip_locked=True)
    )
    found = (await session.execute(due)).one_or_none()
    if found is None:
        return None
    if found.lease_owner is not None:
        await settle_doubts(session, found.id)
    await session.execute(
        update(ChunkRow)
        .where(ChunkRow.id == found.id)
        .values(lease_owner=owner, lease_until=_until(length), fence=ChunkRow.fence + 1, tally=None)
    )
    return await _read(session, found.id)


async def _read(session: AsyncSession, chunk_id: int) -> Lease:
    query = (
        select(
            ChunkRow.id.label("chunk_id"),
            ChunkRow.fence,
            ChunkRow.broadcast_id,
            SourceRow.source_kind,
            SourceRow.source_id,
            SourceRow.source_month,
            SourceRow.topic,
            SourceRow.message_class,
            SourceRow.send_before,
            SourceRow.content_errors,
            ChunkRow.bot_id,
            ChunkRow.first_member_id,
            ChunkRow.last_member_id,
            bots.bots.c.bulk_rate,
        )
        .join(SourceRow, SourceRow.id == ChunkRow.broadcast_id)
        .outerjoin(bots.bots, bots.bots.c.id == ChunkRow.bot_id)
        .where(ChunkRow.id == chunk_id)
    )
    row = (await session.execute(query)).mappings().one()
    return Lease(**{**row, "message_class": MessageClass(row["message_class"])}, has_history=row["fence"] > 1)


async def extend(session: AsyncSession, lease: Lease, length: timedelta = LEASE) -> bool:
    """Keep the lease; False when the source was paused or cancelled meanwhile. Raises LeaseLost."""
    status = select(SourceRow.status).where(SourceRow.id == lease.broadcast_id).scalar_subquery()
    kept = await session.execute(
        update(ChunkRow)
        .where(ChunkRow.id == lease.chunk_id, ChunkRow.fence == lease.fence)
        .values(lease_until=_until(length))
        .returning(status, func.siyu_now())
        .execution_options(synchronize_session=False)
    )
    found = kept.one_or_none()
    if found is None:
        raise LeaseLost
    clock.remember(session, found[1])
    return bool(found[0] == BroadcastStatus.ACTIVE)


async def let_go(session: AsyncSession, lease: Lease, *, is_done: bool, not_before: datetime, tally: Any) -> None:
    """Give the chunk back. Raises LeaseLost when it was taken away before."""
    given_back = await session.execute(
        update(ChunkRow)
        .where(ChunkRow.id == lease.chunk_id, ChunkRow.fence == lease.fence)
        .values(lease_owner=None, lease_until=None, is_done=is_done, not_before=not_before, tally=tally)
        .returning(ChunkRow.id)
    )
    if given_back.scalar_one_or_none() is None:
        raise LeaseLost


async def expire_all(session: AsyncSession) -> None:
    """End every lease: whoever held one is gone."""
    held = update(ChunkRow).where(ChunkRow.lease_until > _SERVER_NOW)
    await session.execute(held.values(lease_until=_SERVER_NOW))


async def owners(session: AsyncSession) -> int:
    """How many senders hold leases at this moment."""
    query = select(func.count(ChunkRow.lease_owner.distinct())).where(
        ChunkRow.is_done.is_(False), ChunkRow.lease_until > _SERVER_NOW
    )
    return (await session.execute(query)).scalar_one()
