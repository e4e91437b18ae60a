"""Writing to the append-only tables: intents before the calls, results after them, in bulk by COPY."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.deliveries.leases import Lease
from crm.deliveries.models import INTENTS
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
    pooled = await (await session.connection()).get_raw_connection()
    driver: Any = pooled.driver_connection
    await driver.copy_records_to_table("delivery_results", records=records, columns=_COLUMNS)


async def intend(session: AsyncSession, lease: Lease, delivery_ids: Sequence[UUID]) -> None:
    """Note which deliveries are about to be sent; to be committed before the first call."""
    await session.execute(
        insert(INTENTS).values(
            source_month=lease.source_month, chunk_id=lease.chunk_id, fence=lease.fence, delivery_ids=list(delivery_ids)
        )
    )
