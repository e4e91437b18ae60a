"""What changes deliveries after the fact: receipts of channels, and uncertain ones that an operator sends again."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.deliveries.models import SourceRow

_CONFIRM = text("""
WITH sent AS (
    SELECT DISTINCT r.delivery_id, r.chunk_id, r.source_month, r.fence, r.provider_ref FROM delivery_results r
    WHERE r.identity_id = :identity AND r.provider_ref = ANY(:refs) AND r.awaits_receipt = 1 AND r.outcome = 'sent'
        AND NOT EXISTS (SELECT 1 FROM delivery_results x WHERE x.awaits_receipt = 1 AND x.identity_id = :identity
            AND x.provider_ref = r.provider_ref AND x.outcome = 'delivered')
), counted AS (
    UPDATE delivery_chunks c SET tally = c.tally || jsonb_build_object(
        'sent', (c.tally ->> 'sent')::int - n.number,
        'delivered', coalesce((c.tally ->> 'delivered')::int, 0) + n.number)
    FROM (SELECT chunk_id, count(*)::int AS number FROM sent GROUP BY 1) n
    WHERE c.id = n.chunk_id AND c.tally IS NOT NULL RETURNING c.id
)
INSERT INTO delivery_results
    (delivery_id, chunk_id, identity_id, source_month, fence, outcome, provider_ref, awaits_receipt)
SELECT delivery_id, chunk_id, :identity, source_month, fence, 'delivered', provider_ref, 1 FROM sent
RETURNING delivery_id
""")
# The lock of the chunk keeps senders out, and its new fence makes the lines outrank what was there.
_UNCERTAIN = text("""
SELECT DISTINCT chunk_id FROM delivery_states
WHERE source_kind = :kind AND source_id = :id AND source_month = :month AND state = 'uncertain' AND chunk_id > 0
ORDER BY 1
""")
_TAKE = text("""
UPDATE delivery_chunks SET fence = fence + 1, is_done = false, tally = NULL, not_before = siyu_now(),
    lease_owner = NULL, lease_until = NULL
WHERE id = :chunk AND (lease_until IS NULL OR lease_until < clock_timestamp()) RETURNING fence
""")
_REQUEUE = text("""
INSERT INTO delivery_results (delivery_id, chunk_id, source_month, fence, outcome, reason)
SELECT r.delivery_id, r.chunk_id, r.source_month, :fence, 'requeued', 'operator' FROM delivery_latest r
WHERE r.chunk_id = :chunk AND r.source_month = :month AND r.outcome = 'uncertain'
RETURNING delivery_id
""")


async def confirm(session: AsyncSession, identity_id: int, provider_refs: Sequence[str]) -> int:
    """Note that the member was shown these messages; answers how many were news."""
    result = await session.execute(_CONFIRM, {"identity": identity_id, "refs": list(provider_refs)})
    return len(result.all())


async def requeue_uncertain(session: AsyncSession, source: SourceRow) -> int:
    """Queue the uncertain deliveries of a source once more; answers how many. Chunks under way are left alone."""
    where = {"kind": source.source_kind, "id": source.source_id, "month": source.source_month}
    requeued = 0
    for chunk_id in (await session.scalars(_UNCERTAIN, where)).all():
        fence = await session.scalar(_TAKE, {"chunk": chunk_id})
        if fence is not None:
            values = {"chunk": chunk_id, "month": source.source_month, "fence": fence}
            requeued += len((await session.execute(_REQUEUE, values)).all())
    if requeued:
        source.finished_at = None
        await session.flush()
    return requeued
