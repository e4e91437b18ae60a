"""A tag for many members at once, in a few statements however many they are."""

from collections.abc import Sequence

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.events.catalogue import TagAdded
from crm.events.service import publish_many
from crm.profiles import service as profiles
from crm.tags import service
from crm.tags.models import MemberTagRow


async def add(
    session: AsyncSession, member_ids: Sequence[int], tag: str, *, source: str, source_ref: str | None = None
) -> int:
    """Put the tag on these members; answers how many did not carry it. Raises InvalidTag, TagArchived."""
    found = await service.usable(session, tag)
    if not member_ids:
        return 0
    await profiles.hold_all(session, member_ids)
    values = {"tag_id": found.id, "source": source, "source_ref": source_ref, "added_at": await clock.now(session)}
    rows = [{"member_id": member_id, **values} for member_id in sorted(set(member_ids))]
    claim = insert(MemberTagRow).values(rows).on_conflict_do_nothing().returning(MemberTagRow.member_id)
    added = list((await session.execute(claim)).scalars())
    await profiles.add_tag_to_many(session, added, found.id)
    await publish_many(session, [TagAdded(member_id=item, tag=found.label, source=source) for item in added])
    return len(added)
