"""Many identities at once that no message reaches any more: what a broadcast learns of those who blocked the bot.

One by one this took five round trips each; a broadcast to people of whom a fifth had left spent more on them than on
those who stayed.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.prepared import Prepared
from crm.events.catalogue import ReachabilityChanged
from crm.events.service import publish_many
from crm.profiles import in_bulk as profiles
from crm.profiles import service

# Locked in the order of their ids, so that two senders never wait for each other; and after the profiles.
_OWNERS = Prepared(
    text("SELECT DISTINCT member_id FROM identities WHERE id = ANY (CAST(:ids AS bigint[])) ORDER BY member_id")
)
_MARK = Prepared(
    text("""
WITH known AS MATERIALIZED (
    SELECT i.id, i.member_id, i.is_reachable, given.reason
    FROM unnest(CAST(:ids AS bigint[]), CAST(:reasons AS text[])) AS given (id, reason)
    JOIN identities i ON i.id = given.id ORDER BY i.id FOR NO KEY UPDATE OF i
), marked AS (
    UPDATE identities i SET is_reachable = false, unreachable_reason = known.reason
    FROM known WHERE i.id = known.id
)
SELECT known.id, known.member_id, known.reason, EXISTS (
    SELECT FROM identities other
    WHERE other.member_id = known.member_id AND other.is_reachable AND other.id <> ALL (CAST(:ids AS bigint[]))
) AS is_reached_elsewhere
FROM known WHERE known.is_reachable ORDER BY known.id
""")
)


async def note_unreachable(session: AsyncSession, reasons: Mapping[int, str]) -> None:
    """Mark these identities, each with its reason; announced for those that could be reached until now."""
    if not reasons:
        return
    await _hold_owners(session, list(reasons))
    changed = await _MARK.fetch(session, ids=list(reasons), reasons=list(reasons.values()))
    await profiles.record_reachable(session, {row["member_id"]: row["is_reached_elsewhere"] for row in changed})
    await publish_many(
        session,
        [
            ReachabilityChanged(
                member_id=row["member_id"], identity_id=row["id"], is_reachable=False, reason=row["reason"]
            )
            for row in changed
        ],
    )


async def _hold_owners(session: AsyncSession, identity_ids: Sequence[int]) -> None:
    """Until a merge that ends meanwhile has moved none of them to somebody who is not held."""
    held = set[int]()
    while fresh := {row["member_id"] for row in await _OWNERS.fetch(session, ids=list(identity_ids))} - held:
        await service.hold_all(session, sorted(fresh))
        held |= fresh
