"""Sends whose fate nobody knows: an intent without a result, whose sender's lease ran out."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

_SETTLE = text("""
INSERT INTO delivery_results (delivery_id, chunk_id, source_month, fence, outcome, reason)
SELECT o.id, c.id, s.source_month, c.fence,
    CASE WHEN s.message_class <> 'marketing' AND coalesce(r.doubts, 0) = 0 THEN 'repeat' ELSE 'uncertain' END, 'crash'
FROM delivery_chunks c
JOIN delivery_sources s ON s.id = c.broadcast_id
JOIN delivery_intents i ON i.chunk_id = c.id AND i.fence = c.fence AND i.source_month = s.source_month
CROSS JOIN LATERAL unnest(i.delivery_ids) AS o(id)
LEFT JOIN delivery_latest r ON r.chunk_id = c.id AND r.source_month = s.source_month AND r.delivery_id = o.id
WHERE c.id = :chunk AND coalesce(r.fence, -1) < c.fence
""")
_EXPIRED = text("""
SELECT id FROM delivery_chunks
WHERE NOT is_done AND lease_owner IS NOT NULL AND lease_until < clock_timestamp()
ORDER BY id LIMIT :limit FOR UPDATE SKIP LOCKED
""")
_FREE = text("""
UPDATE delivery_chunks SET lease_owner = NULL, lease_until = NULL, fence = fence + 1, tally = NULL WHERE id = :chunk
""")


async def settle_doubts(session: AsyncSession, chunk_id: int) -> None:
    """Record the last owner's unanswered sends as `uncertain`, or as `repeat` once where their class says so.

    The caller holds the lock of the chunk's row and gives it a new fence.
    """
    await session.execute(_SETTLE, {"chunk": chunk_id})


async def free_expired(session: AsyncSession, limit: int = 100) -> int:
    """Take chunks from owners whose lease ran out, so that doubts show even where nobody goes on sending."""
    expired = (await session.scalars(_EXPIRED, {"limit": limit})).all()
    for chunk_id in expired:
        await settle_doubts(session, chunk_id)
        await session.execute(_FREE, {"chunk": chunk_id})
    return len(expired)
