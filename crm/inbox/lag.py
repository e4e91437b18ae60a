"""How far the handling of updates is behind."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

# By position, which has an index; updates are queued in the order in which they came, but for those replayed.
_OLDEST = text("""
SELECT coalesce(extract(epoch FROM siyu_now() - due_at), 0) FROM inbound_queue ORDER BY position LIMIT 1
""")


async def oldest_seconds(session: AsyncSession) -> float:
    """Seconds that the first update in the queue has been due; 0 when none waits."""
    return max(0.0, float((await session.execute(_OLDEST)).scalar_one_or_none() or 0.0))
