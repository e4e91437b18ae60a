"""Who is in the segments that rules and activities ask for, written down to the profiles, where they may look."""

from collections.abc import Iterable

from sqlalchemy import Select, false, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.activities.service import definitions as activities
from crm.db import clock
from crm.points import earning_rules
from crm.profiles import in_bulk
from crm.profiles.views import profiles
from crm.segments import compiler, service
from crm.segments.errors import InvalidRuleError, SegmentArchivedError, SegmentNotFoundError


async def refresh(session: AsyncSession) -> int:
    """Look through every segment that a rule or an activity asks for; answers how many profiles changed.

    A segment that is archived, gone or no longer valid has no members.
    """
    asked = {*await earning_rules.segments_wanted(session), *await activities.segments_wanted(session)}
    wanted = sorted(asked)
    return await in_bulk.leave_other_segments(session, wanted) + await look_through(session, wanted)


async def look_through(session: AsyncSession, segment_ids: Iterable[int]) -> int:
    """Write down who is in these segments now, without waiting for the next refresh."""
    changed = 0
    for segment_id in segment_ids:
        changed += await in_bulk.keep_segment(session, segment_id, await _members(session, segment_id))
    return changed


async def _members(session: AsyncSession, segment_id: int) -> Select[int]:
    try:
        rule = await service.rule_of(session, segment_id)
    except (InvalidRuleError, SegmentArchivedError, SegmentNotFoundError):
        return select(profiles.c.member_id).where(false())
    return compiler.audience(rule, await clock.now(session))
