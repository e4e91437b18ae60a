"""Use cases of tags: keeping the list of them, putting them on members and taking them off."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.events.catalogue import TagAdded, TagRemoved
from crm.events.service import publish
from crm.profiles import service as profiles
from crm.tags import policy
from crm.tags.errors import InvalidTag, TagArchived, TagNotFound, TagTaken
from crm.tags.models import MemberTagRow, TagRow
from crm.tags.types import MemberTag, Tag


async def add(
    session: AsyncSession,
    member_id: int,
    tag: str,
    *,
    source: str,
    source_ref: str | None = None,
    expires_at: datetime | None = None,
) -> bool:
    """Put `group:name` or `name` on the member, made when it is new; False when they carry it already.

    An archived tag is not put on anyone: False as well. Adding again only moves the expiry.
    Raises InvalidTag, and InvalidTag for an expiry in the past.
    """
    now = await clock.now(session)
    if expires_at is not None and expires_at <= now:
        raise InvalidTag("a tag cannot expire in the past")
    await profiles.hold(session, member_id)
    found = await ensure(session, tag)
    if found.is_archived:
        return False
    values = {"source": source, "source_ref": source_ref, "added_at": now, "expires_at": expires_at}
    statement = insert(MemberTagRow).values(member_id=member_id, tag_id=found.id, **values)
    added = await session.execute(statement.on_conflict_do_nothing().returning(MemberTagRow.tag_id))
    if added.scalar_one_or_none() is None:
        own = update(MemberTagRow).where(MemberTagRow.member_id == member_id, MemberTagRow.tag_id == found.id)
        await session.execute(own.values(expires_at=expires_at))
        return False
    await profiles.add_tag(session, member_id, found.id)
    await publish(session, TagAdded(member_id=member_id, tag=found.label, source=source))
    return True


async def remove(session: AsyncSession, member_id: int, tag: str, *, source: str) -> bool:
    """Take the tag off the member; False when they do not carry it. Raises InvalidTag."""
    found = await find(session, tag)
    return found is not None and await take_off(session, member_id, found, source=source)


async def take_off(session: AsyncSession, member_id: int, tag: Tag, *, source: str) -> bool:
    """Like `remove`, for a tag at hand."""
    await profiles.hold(session, member_id)
    own = (MemberTagRow.member_id == member_id, MemberTagRow.tag_id == tag.id)
    removed = await session.execute(delete(MemberTagRow).where(*own).returning(MemberTagRow.tag_id))
    if removed.scalar_one_or_none() is None:
        return False
    await profiles.remove_tag(session, member_id, tag.id)
    await publish(session, TagRemoved(member_id=member_id, tag=tag.label, source=source))
    return True


async def of_member(session: AsyncSession, member_id: int) -> list[MemberTag]:
    """The member's tags by group and name."""
    own = select(MemberTagRow, TagRow).join(TagRow, TagRow.id == MemberTagRow.tag_id)
    own = own.where(MemberTagRow.member_id == member_id).order_by(TagRow.group_name, TagRow.name)
    rows = await session.execute(own.execution_options(populate_existing=True))
    return [
        MemberTag(
            tag=policy.label(tag.group_name, tag.name),
            group=tag.group_name,
            name=tag.name,
            source=carried.source,
            source_ref=carried.source_ref,
            added_at=carried.added_at,
            expires_at=carried.expires_at,
        )
        for carried, tag in rows
    ]


async def labels(session: AsyncSession, tag_ids: Sequence[int]) -> dict[int, str]:
    """`group:name` by id, for lists that know ids only."""
    rows = await session.scalars(select(TagRow).where(TagRow.id.in_(tag_ids)))
    return {row.id: policy.label(row.group_name, row.name) for row in rows}


async def listing(session: AsyncSession, *, with_archived: bool = False) -> list[Tag]:
    """All tags by group and name, each with how many members carry it."""
    query = _with_counts().order_by(TagRow.group_name, TagRow.name)
    if not with_archived:
        query = query.where(TagRow.is_archived.is_(False))
    return [_tag(row, count) for row, count in await session.execute(query)]


async def get(session: AsyncSession, tag_id: int) -> Tag:
    """One tag with its count. Raises TagNotFound."""
    found = (await session.execute(_with_counts().where(TagRow.id == tag_id))).one_or_none()
    if found is None:
        raise TagNotFound(tag_id=tag_id)
    return _tag(found[0], found[1])


async def find(session: AsyncSession, tag: str) -> Tag | None:
    """The tag written so, archived ones too. Raises InvalidTag."""
    group, name = policy.parse(tag)
    row = await session.scalar(select(TagRow).where(TagRow.group_name == group, TagRow.name == name))
    return None if row is None else _tag(row)


async def ensure(session: AsyncSession, tag: str) -> Tag:
    """The tag written so, made when it is new. Raises InvalidTag."""
    found = await find(session, tag)
    if found is None:
        group, name = policy.parse(tag)
        await session.execute(insert(TagRow).values(group_name=group, name=name).on_conflict_do_nothing())
        found = await find(session, tag)
    assert found is not None
    return found


async def create(session: AsyncSession, tag: str) -> Tag:
    """A new tag. Raises InvalidTag, TagTaken."""
    if await find(session, tag) is not None:
        raise TagTaken(f"the tag {policy.label(*policy.parse(tag))!r} exists already")
    return await ensure(session, tag)


async def change(session: AsyncSession, tag_id: int, *, tag: str | None = None, is_archived: bool | None = None) -> Tag:
    """Rename a tag, archive it or bring it back; members keep it. Raises TagNotFound, InvalidTag, TagTaken."""
    await get(session, tag_id)
    values: dict[str, str | bool] = {}
    if tag is not None:
        values["group_name"], values["name"] = policy.parse(tag)
    if is_archived is not None:
        values["is_archived"] = is_archived
    if values:
        try:
            async with session.begin_nested():
                await session.execute(update(TagRow).where(TagRow.id == tag_id).values(**values))
        except IntegrityError as error:
            raise TagTaken from error
    return await get(session, tag_id)


async def archive(session: AsyncSession, tag_id: int) -> Tag:
    """Offer the tag no more; who carries it keeps it. Raises TagNotFound."""
    return await change(session, tag_id, is_archived=True)


async def usable(session: AsyncSession, tag: str) -> Tag:
    """The tag for an operator's use, made when it is new. Raises InvalidTag, TagArchived."""
    found = await ensure(session, tag)
    if found.is_archived:
        raise TagArchived(f"the tag {found.label!r} is archived; bring it back before you use it")
    return found


def _with_counts() -> Select[TagRow, int]:
    carried = select(MemberTagRow.tag_id, func.count().label("members")).group_by(MemberTagRow.tag_id).subquery()
    counted = func.coalesce(carried.c.members, 0)
    return select(TagRow, counted).join(carried, carried.c.tag_id == TagRow.id, isouter=True)


def _tag(row: TagRow, members_count: int = 0) -> Tag:
    return Tag(row.id, row.group_name, row.name, row.is_archived, members_count)
