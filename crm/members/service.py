"""Use cases of members and their identities."""

from collections.abc import Collection, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.db.session import vault
from crm.kit.paging import Page
from crm.kit.text import clean_name
from crm.members import attributes, contacts, editing, entering, search, zones
from crm.members.errors import IdentityNotFound, MemberNotFound
from crm.members.repository import EMAIL, IDENTITIES, MEMBERS, PHONE, identity_of, load
from crm.members.types import Contact, Identity, Member, MemberChanges, MemberQuery, MemberSummary
from crm.profiles import service as profiles


async def ensure_identity(
    session: AsyncSession,
    *,
    bot_id: int,
    channel: str,
    address: str,
    display_name: str = "",
    username: str | None = None,
    locale_hint: str | None = None,
    revives: bool = True,
    found: Mapping[str, Any] | None = None,
) -> Contact:
    """Who is at this address of this bot, made a lead on first contact; called for every inbound update.

    A known identity that was seen within five minutes costs one statement. An inbound message makes an
    unreachable identity reachable again, unless `revives` is off (the update says that the member blocked us).
    `found` is the row of `views.contact` at this address when a statement of the caller's brought it along.
    """
    return await contacts.ensure(
        session,
        contacts.Sighting(bot_id, channel, address, clean_name(display_name), username, locale_hint),
        revives=revives,
        found=found,
    )


async def find_contact(session: AsyncSession, bot_id: int, address: str) -> Contact | None:
    """Who is at this address of this bot; None when nobody wrote from there. Nothing is changed."""
    return await contacts.find(session, bot_id, address)


async def get(session: AsyncSession, member_id: int) -> Member:
    """One member, merged and erased ones too. Raises MemberNotFound."""
    found = await load(session, member_id)
    if found is None:
        raise MemberNotFound(member_id=member_id)
    return found


async def current_id(session: AsyncSession, member_id: int) -> int:
    """The id of the profile that this one lives on in, after any merges. Raises MemberNotFound."""
    found: int | None = member_id
    while found is not None:
        member_id = found
        row = (await session.execute(select(MEMBERS.c.merged_into_id).where(MEMBERS.c.id == member_id))).one_or_none()
        if row is None:
            raise MemberNotFound(member_id=member_id)
        found = row.merged_into_id
    return member_id


async def enter(session: AsyncSession, member_id: int) -> int:
    """Like `current_id`, and their profile is locked until the transaction ends: before all else that is theirs.

    Every use case that changes something of a member begins with it. Raises MemberNotFound.
    """
    return await entering.enter(session, member_id)


async def enter_all(session: AsyncSession, member_ids: Collection[int]) -> None:
    """Like `enter`, for who works on several at once and holds nobody yet; none is waited for while another is held.

    Raises what the driver raises when they stay busy for seconds.
    """
    await entering.enter_all(session, member_ids)


async def all_ids(session: AsyncSession, member_id: int) -> list[int]:
    """This member's id and those of all profiles merged into it: the ids under which its history stands."""
    own = select(MEMBERS.c.id).where(MEMBERS.c.id == member_id).cte("own", recursive=True)
    merged = select(MEMBERS.c.id).join(own, MEMBERS.c.merged_into_id == own.c.id)
    return list((await session.scalars(select(own.union(merged).c.id).order_by("id"))).all())


async def identity(session: AsyncSession, identity_id: int) -> Identity:
    """One identity. Raises IdentityNotFound."""
    row = (await session.execute(select(IDENTITIES).where(IDENTITIES.c.id == identity_id))).mappings().one_or_none()
    if row is None:
        raise IdentityNotFound(identity_id=identity_id)
    return identity_of(row)


async def identities(session: AsyncSession, member_id: int) -> list[Identity]:
    """The member's identities, the last active first."""
    query = select(IDENTITIES).where(IDENTITIES.c.member_id == member_id)
    rows = await session.execute(query.order_by(IDENTITIES.c.last_seen_at.desc(), IDENTITIES.c.id))
    return [identity_of(row) for row in rows.mappings()]


async def touch(session: AsyncSession, identity_id: int) -> None:
    """Note that the identity was active just now."""
    await contacts.touch(session, await identity(session, identity_id))


async def set_reachable(session: AsyncSession, identity_id: int, is_reachable: bool, reason: str | None = None) -> None:
    """Note that messages reach the identity or not (blocked, deactivated); announced only when it changes."""
    await contacts.set_reachable(session, await identity(session, identity_id), is_reachable, reason)


async def change(
    session: AsyncSession, member_id: int, changes: MemberChanges, *, by: str, expected_version: int | None = None
) -> Member:
    """Apply the changes all together or not at all. Raises InvalidMember and its like, MemberChanged, MemberGone."""
    return await editing.change(session, member_id, changes, by=by, expected_version=expected_version)


async def set_phone(
    session: AsyncSession,
    member_id: int,
    phone: str,
    *,
    is_verified: bool,
    region_hint: str | None = None,
    by: str = "member",
) -> Member:
    """Store a phone, sealed, found by blind index. The same number stays verified. Raises InvalidPhone."""
    return await editing.set_phone(session, member_id, phone, is_verified=is_verified, region=region_hint, by=by)


async def set_email(session: AsyncSession, member_id: int, email: str, *, by: str = "member") -> Member:
    """Store an e-mail address, sealed, found by blind index. Raises InvalidEmail."""
    return await editing.set_email(session, member_id, email, by=by)


async def phone(session: AsyncSession, member_id: int) -> str | None:
    """The plain phone in E.164, for those who may see it; the caller writes the audit entry."""
    sealed = await session.scalar(select(MEMBERS.c.phone_sealed).where(MEMBERS.c.id == member_id))
    return None if sealed is None else vault(session).open(sealed, f"{PHONE}:{member_id}")


async def email(session: AsyncSession, member_id: int) -> str | None:
    """The plain e-mail address, for those who may see it; the caller writes the audit entry."""
    sealed = await session.scalar(select(MEMBERS.c.email_sealed).where(MEMBERS.c.id == member_id))
    return None if sealed is None else vault(session).open(sealed, f"{EMAIL}:{member_id}")


async def personal_attributes(session: AsyncSession, member_id: int) -> dict[str, Any]:
    """The attributes that are personal data, for those who may see them."""
    sealed = await session.scalar(select(MEMBERS.c.personal_sealed).where(MEMBERS.c.id == member_id))
    return attributes.open_personal(session, member_id, sealed)


async def page(session: AsyncSession, query: MemberQuery) -> Page[MemberSummary]:
    """Active members that fit the query, newest first. Raises InvalidCursor, InvalidLimit."""
    return await search.page(session, query)


async def mark_signed_up(session: AsyncSession, member_id: int) -> bool:
    """Note when the member signed up; False when they had already."""
    await profiles.hold(session, member_id)
    now = await clock.now(session)
    first = update(MEMBERS).where(MEMBERS.c.id == member_id, MEMBERS.c.signed_up_at.is_(None))
    done = await session.execute(first.values(signed_up_at=now, version=MEMBERS.c.version + 1).returning(MEMBERS.c.id))
    if done.scalar_one_or_none() is None:
        await get(session, member_id)
        return False
    await profiles.record(session, member_id, signed_up_at=now)
    return True


async def zone(session: AsyncSession, member_id: int) -> ZoneInfo:
    """The zone that the member's days are counted in: their own, else the brand's."""
    return await zones.of(session, member_id)
