"""After a restore: what was queued when the backup was made may have been sent since, and nobody can know."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.recovery import service as recovery

_REPLIES = text("""
WITH held AS (DELETE FROM delivery_replies WHERE position <= :last RETURNING *), noted AS (
    INSERT INTO delivery_results (delivery_id, chunk_id, identity_id, source_month, fence, outcome, reason)
    SELECT delivery_id, 0, identity_id, source_month, fence + 1, 'uncertain', 'restored' FROM held
    RETURNING 1
)
SELECT count(*) FROM noted
""")
_BULK = text("""
WITH noted AS (
    INSERT INTO delivery_results (delivery_id, chunk_id, source_month, fence, outcome, reason)
    SELECT d.delivery_id, c.id, d.source_month, c.fence + 1, 'uncertain', 'restored'
    FROM delivery_chunks c JOIN delivery_states d ON d.chunk_id = c.id
    WHERE NOT c.is_done AND (d.state IN ('queued', 'claimed', 'sending') OR d.state = 'uncertain' AND d.at IS NULL)
    RETURNING 1
)
SELECT count(*) FROM noted
""")
_CHUNKS = text("""
UPDATE delivery_chunks
SET is_done = true, fence = fence + 1, tally = NULL, lease_owner = NULL, lease_until = NULL WHERE NOT is_done
""")


@dataclass(frozen=True)
class Resumed:
    """What was held and is now uncertain: an operator decides whether it is sent once more."""

    replies: int
    bulk: int


async def resume_sending(session: AsyncSession, *, by: str) -> Resumed:
    """End the safe mode. What the backup held open becomes `uncertain`; everything new is sent from now on.

    Raises NotInSafeModeError.
    """
    ended = await recovery.end(session, by=by)
    replies = (await session.execute(_REPLIES, {"last": ended.last_reply})).scalar_one()
    bulk = (await session.execute(_BULK)).scalar_one()
    await session.execute(_CHUNKS)
    return Resumed(replies, bulk)
