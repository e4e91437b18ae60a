"""Where a member came from first and last."""

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.members.errors import MemberNotFound
from crm.members.repository import MEMBERS
from crm.profiles import service as profiles


async def record_source(session: AsyncSession, member_id: int, source_id: int) -> bool:
    """Set the last source, and the first when there is none; whether it was the first. Raises MemberNotFound."""
    await profiles.hold(session, member_id)
    own = MEMBERS.c.id == member_id
    row = (await session.execute(select(MEMBERS.c.first_source_id).where(own))).one_or_none()
    if row is None:
        raise MemberNotFound(member_id=member_id)
    first = source_id if row.first_source_id is None else row.first_source_id
    await set_sources(session, member_id, first, source_id)
    return row.first_source_id is None


async def set_sources(session: AsyncSession, member_id: int, first: int | None, last: int | None) -> None:
    """Write both, on the member and in the profile."""
    values = {"first_source_id": first, "last_source_id": last}
    await session.execute(update(MEMBERS).where(MEMBERS.c.id == member_id).values(**values))
    await profiles.record(session, member_id, first_source_id=first, last_source_id=last)
