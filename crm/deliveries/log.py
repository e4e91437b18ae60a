"""Writing to the append-only tables: intents before the calls, results after them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import orjson
from sqlalchemy import bindparam, insert, text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.db.held import HeldConnection
from crm.db.prepared import Prepared, driver_of
from crm.deliveries.errors import LeaseLost
from crm.deliveries.leases import Lease
from crm.deliveries.models import SENT_GROUPS
from crm.deliveries.policy import Result
from crm.deliveries.tallies import Tally

_COLUMNS = (
    "delivery_id",
    "chunk_id",
    "identity_id",
    "at",
    "not_before",
    "source_month",
    "fence",
    "outcome",
    "reason",
    "detail",
    "provider_ref",
    "awaits_receipt",
)


# The row of the chunk is locked, so that whoever takes the lease over sees these rows or keeps them from being written.
_TURN = """
WITH held AS MATERIALIZED (
    SELECT s.status = 'active' AND (b.id IS NULL OR
        (b.status = 'active' AND coalesce(b.bulk_paused_until <= siyu_now(), true))) AS is_active, siyu_now() AS at
    FROM delivery_chunks c JOIN delivery_sources s ON s.id = c.broadcast_id LEFT JOIN bots b ON b.id = c.bot_id
    WHERE c.id = $1::bigint AND c.fence = $2::int FOR NO KEY UPDATE OF c
), written AS (
    INSERT INTO delivery_sent_groups (chunk_id, at, source_month, fence, delivery_ids, identity_ids, provider_refs)
    SELECT $1::bigint, at, $3::date, $2::int, $4::uuid[], $5::bigint[], $6::text[]
    FROM held WHERE cardinality($4::uuid[]) > 0
), intended AS (
    INSERT INTO delivery_intents (source_month, chunk_id, fence, delivery_ids, at)
    SELECT $3::date, $1::bigint, $2::int, $7::uuid[], at FROM held WHERE is_active AND cardinality($7::uuid[]) > 0
)
SELECT is_active FROM held
"""
_CLOSE = """
WITH held AS (
    UPDATE delivery_chunks SET lease_owner = NULL, lease_until = NULL, is_done = true, tally = $7::jsonb
    WHERE id = $1::bigint AND fence = $2::int RETURNING siyu_now() AS at
), written AS (
    INSERT INTO delivery_sent_groups (chunk_id, at, source_month, fence, delivery_ids, identity_ids, provider_refs)
    SELECT $1::bigint, at, $3::date, $2::int, $4::uuid[], $5::bigint[], $6::text[]
    FROM held WHERE cardinality($4::uuid[]) > 0
)
SELECT at FROM held
"""
_IS_LAST = """
SELECT NOT EXISTS (SELECT FROM delivery_chunks WHERE broadcast_id = $1::bigint AND NOT is_done) AS is_last
"""
_SENT = Prepared(
    insert(SENT_GROUPS).values(
        chunk_id=bindparam("chunk"),
        at=bindparam("at"),
        source_month=bindparam("month"),
        fence=bindparam("fence"),
        delivery_ids=bindparam("ids"),
        identity_ids=bindparam("identities"),
        provider_refs=bindparam("refs"),
    )
)
_INTEND = Prepared(
    text("""
WITH source AS (
    SELECT status = 'active' AS is_active FROM delivery_sources WHERE id = :broadcast
), intended AS (
    INSERT INTO delivery_intents (source_month, chunk_id, fence, delivery_ids)
    SELECT CAST(:month AS date), CAST(:chunk AS bigint), CAST(:fence AS int), CAST(:ids AS uuid[])
    FROM source WHERE is_active AND cardinality(CAST(:ids AS uuid[])) > 0
)
SELECT is_active FROM source
""")
)
SentLine = tuple[UUID, int | None, str]
"""Delivery, identity and the channel's reference of what was sent and awaits no receipt."""


async def append(session: AsyncSession, lease: Lease, results: Sequence[Result]) -> None:
    """Append results of the lease's chunk. The caller has proven in this transaction that the lease is held."""
    if not results:
        return
    at = await clock.now(session)
    plain = [result for result in results if result.outcome == "sent" and not result.awaits_receipt]
    if plain:
        await _SENT.fetch(
            session,
            chunk=lease.chunk_id,
            at=at,
            month=lease.source_month,
            fence=lease.fence,
            ids=[result.delivery_id for result in plain],
            identities=[result.identity_id for result in plain],
            refs=[result.provider_ref for result in plain],
        )
    await _copy(session, lease, at, [result for result in results if result.outcome != "sent" or result.awaits_receipt])


async def _copy(session: AsyncSession, lease: Lease, at: datetime, results: Sequence[Result]) -> None:
    if not results:
        return
    records = [
        (
            result.delivery_id,
            lease.chunk_id,
            result.identity_id,
            at,
            result.not_before,
            lease.source_month,
            lease.fence,
            result.outcome,
            result.reason,
            result.detail,
            result.provider_ref,
            1 if result.awaits_receipt else None,
        )
        for result in results
    ]
    # COPY is for the driver alone; it runs inside the session's transaction, on its connection.
    driver = await driver_of(session)
    await driver.copy_records_to_table("delivery_results", records=records, columns=_COLUMNS)


async def intend(session: AsyncSession, lease: Lease, intended: Sequence[UUID]) -> bool:
    """Note the next group while the source may be sent: False when it may not. The caller has proven the lease."""
    found = await _INTEND.first(
        session,
        broadcast=lease.broadcast_id,
        month=lease.source_month,
        chunk=lease.chunk_id,
        fence=lease.fence,
        ids=list(intended),
    )
    return found is not None and bool(found["is_active"])


async def turn(held: HeldConnection, lease: Lease, sent: Sequence[SentLine], intended: Sequence[UUID]) -> bool:
    """Between two groups: append what the last one sent, note the next one; one statement, one commit.

    The intent is written only while the source
    may be sent: False when it was paused or cancelled meanwhile. Raises LeaseLost, with nothing written.
    """
    row = await held.row(_TURN, lease.chunk_id, lease.fence, lease.source_month, *_columns(sent), intended)
    if row is None:
        raise LeaseLost
    return bool(row["is_active"])


async def close(held: HeldConnection, lease: Lease, sent: Sequence[SentLine], tally: Tally) -> None:
    """Append what the last group of a chunk sent and give it back for good: nothing of it is open any more.

    One statement, one commit. Raises LeaseLost, with nothing written.
    """
    figures = orjson.dumps(tally.as_json()).decode()
    row = await held.row(_CLOSE, lease.chunk_id, lease.fence, lease.source_month, *_columns(sent), figures)
    if row is None:
        raise LeaseLost


async def is_last(held: HeldConnection, lease: Lease) -> bool:
    """Whether no chunk of the source is open any more, as committed by everybody at this moment."""
    return bool((await held.row(_IS_LAST, lease.broadcast_id))["is_last"])


def _columns(sent: Sequence[SentLine]) -> tuple[list[UUID], list[int | None], list[str]]:
    return [line[0] for line in sent], [line[1] for line in sent], [line[2] for line in sent]
