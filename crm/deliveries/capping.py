"""The frequency cap: an exact count per member, kept by a row whose lock orders concurrent broadcasts."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand.types import FrequencyCap
from crm.deliveries.policy import Candidate

# Rows are locked in the order of member ids by every sender, so that two of them cannot wait for each other.
_GRANT = text("""
INSERT INTO frequency_counters AS f (member_id, granted)
SELECT w.member_id, jsonb_build_object(w.id::text, extract(epoch FROM siyu_now()))
FROM unnest(CAST(:members AS bigint[]), CAST(:ids AS uuid[])) AS w(member_id, id) ORDER BY w.member_id
ON CONFLICT (member_id) DO UPDATE SET granted = excluded.granted || (
    SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each(f.granted)
    WHERE value::numeric > extract(epoch FROM siyu_now() - make_interval(days => :days)))
WHERE f.granted ?| (SELECT array_agg(key) FROM jsonb_object_keys(excluded.granted) AS key)
    OR (SELECT count(*) FROM jsonb_each(f.granted)
        WHERE value::numeric > extract(epoch FROM siyu_now() - make_interval(days => :days))) < :limit
RETURNING member_id
""")


async def grant(session: AsyncSession, candidates: Sequence[Candidate], cap: FrequencyCap) -> set[UUID]:
    """The ids of those deliveries that the cap leaves room for; asking again for the same one changes nothing.

    A member with several deliveries in one window is granted one after the other.
    """
    granted: set[UUID] = set()
    for turn in _turns(candidates):
        by_member = {candidate.person_id: candidate.delivery_id for candidate in turn}
        values = {"members": list(by_member), "ids": list(by_member.values()), "days": cap.days, "limit": cap.limit}
        allowed = await session.scalars(_GRANT, values)
        granted.update(by_member[member_id] for member_id in allowed)
    return granted


def _turns(candidates: Sequence[Candidate]) -> list[list[Candidate]]:
    turns: list[list[Candidate]] = []
    seen: dict[int, int] = {}
    for candidate in candidates:
        turn = seen.get(candidate.person_id, 0)
        seen[candidate.person_id] = turn + 1
        if turn == len(turns):
            turns.append([])
        turns[turn].append(candidate)
    return turns
