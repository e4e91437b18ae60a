"""Leases of chunks: taken, kept alive and given back by the clock of the database server, with a fencing number."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Text,
    all_,
    and_,
    any_,
    bindparam,
    func,
    literal,
    or_,
    select,
    text,
    true,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession

from crm.bots import views as bots
from crm.db import clock
from crm.db.prepared import Prepared
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
    is_paid: bool
    """Its messages are paid for, as long as the cap of the source allows."""
    has_history: bool
    """Leased before: some of its deliveries may have results."""


async def take(
    session: AsyncSession,
    owner: str,
    channels: Collection[str],
    *,
    busy: Collection[int] = (),
    length: timedelta = LEASE,
) -> Lease | None:
    """Lease the next chunk that is due and whose bot may send on one of `channels`; None when there is none.

    What members are owed goes first; otherwise the sources take turns, so that a small one does not wait for a large
    one. In the safe mode nothing is handed out. Bots that are `busy` in this process already are passed over. Doubts
    that an earlier owner left behind are settled first.
    """
    found = await _DUE.first(session, channels=list(channels), busy=list(busy))
    if found is None:
        return None
    values = dict(found)
    if values.pop("lease_owner") is not None:
        await settle_doubts(session, found["chunk_id"])
    taken = {"chunk": found["chunk_id"], "source": found["broadcast_id"], "owner": owner, "length": length}
    await _TAKE.fetch(session, **taken)
    values |= {"fence": found["fence"] + 1, "message_class": MessageClass(found["message_class"])}
    return Lease(**values, has_history=found["fence"] > 0)


def _due() -> Any:
    """Sources are few and put in order first; of each the next chunk is looked up until one has any."""
    sources = (
        select(SourceRow)
        .where(
            ~recovery.is_on(),
            SourceRow.status == literal(BroadcastStatus.ACTIVE.value, Text),
            SourceRow.finished_at.is_(None),
        )
        .order_by(
            SourceRow.message_class == literal(MessageClass.MARKETING.value, Text),
            SourceRow.served_at.nulls_first(),
            SourceRow.id,
        )
        .cte("sources")
        .prefix_with("MATERIALIZED")
    )
    source, head, bot = sources.c, _next_chunk(sources.c.id), bots.bots.c
    return (
        select(
            head.c.id.label("chunk_id"),
            head.c.fence,
            head.c.lease_owner,
            head.c.broadcast_id,
            source.source_kind,
            source.source_id,
            source.source_month,
            source.topic,
            source.message_class,
            source.send_before,
            source.content_errors,
            source.paid_limit.is_not(None).label("is_paid"),
            head.c.bot_id,
            head.c.first_member_id,
            head.c.last_member_id,
            bot.bulk_rate,
        )
        .select_from(sources.join(head, true()).outerjoin(bots.bots, bot.id == head.c.bot_id))
        .limit(1)
    )


def _next_chunk(source_id: Any) -> Any:
    bot = bots.bots.c
    is_free = or_(bot.bulk_paused_until.is_(None), bot.bulk_paused_until <= func.siyu_now())
    may_send = and_(bot.channel == any_(_P.channels), bot.status == "active", is_free, bot.id != all_(_P.busy))
    return (
        select(ChunkRow)
        .outerjoin(bots.bots, bot.id == ChunkRow.bot_id)
        .where(
            ChunkRow.broadcast_id == source_id,
            ChunkRow.is_done.is_(False),
            ChunkRow.not_before <= func.siyu_now(),
            or_(ChunkRow.lease_until.is_(None), ChunkRow.lease_until < _SERVER_NOW),
            or_(ChunkRow.bot_id.is_(None), may_send),
        )
        .order_by(ChunkRow.part, ChunkRow.id)
        .limit(1)
        .with_for_update(of=ChunkRow, skip_locked=True)
        .lateral("head")
    )


class _P:
    """The parameters of the statements."""

    channels, busy = bindparam("channels", type_=ARRAY(Text)), bindparam("busy", type_=ARRAY(BigInteger))


_DUE = Prepared(_due())
_TAKE = Prepared(
    text(
        # Whoever holds the source's row may wait for this chunk's: the turn is noted only where nobody does.
        "WITH source AS (SELECT id FROM delivery_sources WHERE id = :source FOR NO KEY UPDATE SKIP LOCKED), turn AS"
        " (UPDATE delivery_sources s SET served_at = clock_timestamp() FROM source WHERE s.id = source.id)"
        " UPDATE delivery_chunks SET lease_owner = :owner, lease_until = clock_timestamp() + CAST(:length AS interval),"
        " fence = fence + 1, tally = NULL WHERE id = :chunk"
    )
)
_EXTEND = Prepared(
    text(
        "UPDATE delivery_chunks c SET lease_until = clock_timestamp() + CAST(:length AS interval)"
        " FROM delivery_sources s WHERE c.id = :chunk AND c.fence = :fence AND s.id = c.broadcast_id"
        " RETURNING s.status = 'active' AS is_active, siyu_now() AS now"
    )
)
_LET_GO = Prepared(
    text(
        "UPDATE delivery_chunks SET lease_owner = NULL, lease_until = NULL, is_done = :is_done,"
        " not_before = :not_before, tally = CAST(:tally AS jsonb) WHERE id = :chunk AND fence = :fence RETURNING id"
    )
)


async def extend(session: AsyncSession, lease: Lease) -> bool:
    """Keep the lease; False when the source was paused or cancelled meanwhile. Raises LeaseLost."""
    found = await _EXTEND.first(session, chunk=lease.chunk_id, fence=lease.fence, length=LEASE)
    if found is None:
        raise LeaseLost
    clock.remember(session, found["now"])
    return bool(found["is_active"])


async def let_go(session: AsyncSession, lease: Lease, *, is_done: bool, not_before: datetime, tally: Any) -> None:
    """Give the chunk back. Raises LeaseLost when it was taken away before."""
    given_back = await _LET_GO.first(
        session,
        chunk=lease.chunk_id,
        fence=lease.fence,
        is_done=is_done,
        not_before=not_before,
        tally=orjson.dumps(tally).decode(),
    )
    if given_back is None:
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
