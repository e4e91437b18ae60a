"""Facts of many profiles in one statement, for owners that learn them in groups."""

from collections.abc import Mapping

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.prepared import Prepared

_REACHABLE = Prepared(
    text("""
UPDATE profiles p SET is_reachable = known.is_reachable
FROM unnest(CAST(:members AS bigint[]), CAST(:found AS boolean[])) AS known (member_id, is_reachable)
WHERE p.member_id = known.member_id AND p.is_reachable <> known.is_reachable
""")
)


async def record_reachable(session: AsyncSession, found: Mapping[int, bool]) -> None:
    """Keep for each member whether any channel account of theirs can be reached."""
    if found:
        await _REACHABLE.fetch(session, members=list(found), found=list(found.values()))
