"""Facts of many profiles in one statement, for owners that learn them in groups."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, cast

from sqlalchemy import ColumnElement, CursorResult, Integer, Select, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.prepared import Prepared
from crm.profiles.models import ProfileRow

_TABLE = ProfileRow.metadata.tables["profiles"]
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


_TIERS = Prepared(
    text("""
UPDATE profiles p SET tier = known.tier, multiplier = known.multiplier
FROM unnest(CAST(:members AS bigint[]), CAST(:tiers AS text[]), CAST(:multipliers AS numeric[]))
    AS known (member_id, tier, multiplier)
WHERE p.member_id = known.member_id
""")
)


async def record_tiers(session: AsyncSession, found: Mapping[int, tuple[str | None, Decimal]]) -> None:
    """Keep each member's tier and its multiplier of points; tiers does this."""
    if found:
        keys, factors = [pair[0] for pair in found.values()], [pair[1] for pair in found.values()]
        await _TIERS.fetch(session, members=list(found), tiers=keys, multipliers=factors)


async def keep_segment(session: AsyncSession, segment_id: int, members: Select[int]) -> int:
    """Let exactly the members of that query be in the segment; answers how many profiles changed. Segments does this.

    Differences only, so that looking again costs a reading and no writing. Profiles that somebody is at work on are
    left for the next time.
    """
    own, inside = _TABLE.c, _TABLE.c.segment_ids.contains([segment_id])
    found = members.subquery()
    ids = select(found.c.member_id)
    enters = own.member_id.in_(ids) & ~inside
    leaves = inside & own.member_id.not_in(ids)
    changed = 0
    for are_these, value in (
        (enters, func.array_append(own.segment_ids, segment_id)),
        (leaves, func.array_remove(own.segment_ids, segment_id)),
    ):
        changed += await _change_free(session, are_these, value)
    return changed


async def leave_other_segments(session: AsyncSession, kept: Sequence[int]) -> int:
    """Forget every segment but these; answers how many profiles changed. Segments does this."""
    own = _TABLE.c.segment_ids
    allowed = literal(list(kept), ARRAY(Integer))
    are_these = (func.cardinality(own) > 0) & ~own.contained_by(allowed)
    return await _change_free(session, are_these, own.op("&")(allowed))


async def _change_free(session: AsyncSession, are_these: ColumnElement[bool], segment_ids: Any) -> int:
    """Who waits for one profile while holding others could meet another such in a ring."""
    free = select(_TABLE.c.member_id).where(are_these).with_for_update(key_share=True, skip_locked=True).cte("free")
    change = update(_TABLE).where(_TABLE.c.member_id == free.c.member_id).values(segment_ids=segment_ids)
    done = await session.execute(change)
    return cast("CursorResult[Any]", done).rowcount
