"""How far sending is behind, and what became doubtful."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

# What waits on purpose does not count: a pause of its source or of its bot, a later time, a sender that is at it.
_BEHIND = text("""
SELECT
    (SELECT coalesce(extract(epoch FROM siyu_now() - min(greatest(c.not_before, s.not_before))), 0)
     FROM delivery_chunks c JOIN delivery_sources s ON s.id = c.broadcast_id
     LEFT JOIN bots b ON b.id = c.bot_id
     WHERE NOT c.is_done AND s.status = 'active' AND c.lease_owner IS NULL AND c.not_before <= siyu_now()
     AND s.not_before <= siyu_now() AND coalesce(b.status, 'active') = 'active'
     AND coalesce(b.bulk_paused_until, '-infinity') <= siyu_now()) AS oldest_queued,
    (SELECT count(*) FROM delivery_replies) AS open_replies,
    (SELECT coalesce(extract(epoch FROM clock_timestamp() - min(due_at)), 0) FROM delivery_replies) AS oldest_reply,
    (SELECT coalesce(sum((c.tally ->> 'uncertain')::int), 0) FROM delivery_chunks c
     JOIN delivery_sources s ON s.id = c.broadcast_id
     WHERE s.created_at > siyu_now() - interval '30 days' AND c.tally ? 'uncertain') AS uncertain
""")


@dataclass(frozen=True)
class Behind:
    """Seconds and numbers of one moment."""

    oldest_queued_seconds: float
    """How long the first chunk that nobody sends yet has been due."""
    open_replies: int
    oldest_reply_seconds: float
    uncertain: int
    """Bulk deliveries of the last 30 days whose fate nobody knows."""


async def behind(session: AsyncSession) -> Behind:
    """The figures of now."""
    row = (await session.execute(_BEHIND)).one()
    return Behind(
        max(0.0, float(row.oldest_queued)), row.open_replies, max(0.0, float(row.oldest_reply)), int(row.uncertain)
    )
