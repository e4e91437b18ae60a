"""Who is in the segments that earning rules ask for, written down to the profiles, where rules may look."""

from sqlalchemy import Select, false, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.points import earning_rules
from crm.profiles import in_bulk
from crm.profiles.views import profiles
from crm.segments import compiler, service
from crm.segments.errors import InvalidRuleError, SegmentArchivedError, SegmentNotFoundError


async def refresh(session: AsyncSession) -> int:
    """Look through every segment that an active rule asks for; answers how many profiles changed.

    A segment that is archived, gone or no longer valid has no members.
    """
    wanted = await earning_rules.segments_wanted(session)
    changed = await in_bulk.leave_other_segments(session, wanted)
    for segment_id in wanted:
        changed += await in_bulk.keep_segment(session, segment_id, await _members(session, segment_id))
    return changed


async def _members(session: AsyncSession, segment_id: int) -> Select[int]:
    try:
        rule = await service.rule_of(session, segment_id)
    except (InvalidRuleError, SegmentArchivedError, SegmentNotFoundError):
        return select(profiles.c.member_id).where(false())
    return compiler.audience(rule, await clock.now(session))
