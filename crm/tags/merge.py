"""Joining two members' tags: those that only the dropped one carries go over."""

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.profiles import service as profiles
from crm.tags.models import MemberTagRow

_CARRIED = MemberTagRow.metadata.tables["member_tags"]


class TagsMerge:
    """Moves tags; a tag that both carry stays with each."""

    name = "tags"

    async def merge(self, session: AsyncSession, keep_id: int, drop_id: int) -> dict[str, Any]:
        """Answers the ids of the tags that moved."""
        moved = sorted(set(await _tag_ids(session, drop_id)) - set(await _tag_ids(session, keep_id)))
        await _move(session, drop_id, keep_id, moved)
        return {"moved": moved}

    async def undo(self, session: AsyncSession, keep_id: int, drop_id: int, record: dict[str, Any]) -> None:
        """Move back those that the kept member still carries and the other does not."""
        moved = set(record["moved"]) - set(await _tag_ids(session, drop_id))
        await _move(session, keep_id, drop_id, sorted(moved))


async def _tag_ids(session: AsyncSession, member_id: int) -> list[int]:
    found = await session.scalars(select(_CARRIED.c.tag_id).where(_CARRIED.c.member_id == member_id))
    return list(found.all())


async def _move(session: AsyncSession, from_id: int, to_id: int, tag_ids: list[int]) -> None:
    own = (_CARRIED.c.member_id == from_id, _CARRIED.c.tag_id.in_(tag_ids))
    await session.execute(update(_CARRIED).where(*own).values(member_id=to_id))
    for member_id in (from_id, to_id):
        await profiles.record(session, member_id, tag_ids=sorted(await _tag_ids(session, member_id)))


tags_merge = TagsMerge()
