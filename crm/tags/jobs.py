"""Timed work of tags: taking off those that have run out."""

from sqlalchemy import select

from crm.db import clock
from crm.db.session import Sessions
from crm.jobs.types import tick
from crm.tags import service
from crm.tags.models import MemberTagRow

_AT_ONCE = 200


@tick("tags.expire", seconds=60)
async def expire(sessions: Sessions) -> int:
    """Take expired tags off their members, some at a time."""
    async with sessions.begin() as session:
        now = await clock.now(session)
        due = select(MemberTagRow.member_id, MemberTagRow.tag_id).where(MemberTagRow.expires_at <= now)
        rows = (await session.execute(due.limit(_AT_ONCE).with_for_update(skip_locked=True))).all()
        for member_id, tag_id in rows:
            await service.take_off(session, member_id, await service.get(session, tag_id), source="expiry")
    return len(rows)
