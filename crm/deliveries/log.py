"""Writing to the append-only tables: intents before the calls, results after them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.db.held import HeldConnection
from crm.db.prepared import driver_of
from crm.deliveries.errors import LeaseLost
from crm.deliveries.leases import Lease
from crm.deliveries.policy import Result

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
    SELECT s.status = 'active' AS is_active, siyu_now() AS at
    FROM delivery_chunks c JOIN delivery_sources s ON s.id = c.broadcast_id
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


async def append(session: AsyncSession, lease: Lease, results: Sequence[Result]) -> None:
    """Append results of the lease's chunk. The caller has proven in this transaction that the lease is held."""
    if not results:
        return
    at = await clock.now(session)
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


async def turn(held: HeldConnection, lease: Lease, sent: Sequence[Result], intended: Sequence[UUID]) -> bool:
    """Between two groups: append what the last one sent, note the next one; one statement, one commit.

    What was `sent` awaits no receipt: one row tells of the whole group. The intent is written only while the source
    may be sent: False when it was paused or cancelled meanwhile. Raises LeaseLost, with nothing written.
    """
    row = await held.row(
        _TURN,
        lease.chunk_id,
        lease.fence,
        lease.source_month,
        [result.delivery_id for result in sent],
        [result.identity_id for result in sent],
        [result.provider_ref for result in sent],
        intended,
    )
    if row is None:
        raise LeaseLost
    return bool(row["is_active"])
