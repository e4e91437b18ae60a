"""Timed work of tags: taking off those that have run out."""

from sqlalchemy import select

from crm.db import clock
from crm.db.session import Sessions
from crm.jobs.types import tick
from crm.profiles import service as profiles
from crm.tags import service
from crm.tags.models import MemberTagRow

_AT_ONCE = 200


@tick("tags.expire", seconds=60)
async def expire(sessions: Sessions) -> int:
    """Take expired tags off their members, some at a time; who is busy is looked after the next time."""
    async with sessions.begin() as session:
        now = await clock.now(session)
        due = select(MemberTagRow.member_id, MemberTagRow.tag_id).where(MemberTagRow.expires_at <= now)
        found = (await session.execute(due.limit(_AT_ONCE))).all()
        free = await profiles.hold_free(session, {row.member_id for row in found})
        rows = [row for row in found if row.member_id in free]
        for member_id, tag_id in rows:
            await service.take_off(session, member_id, await service.get(session, tag_id), source="expiry")
    return len(rows)
