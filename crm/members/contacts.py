"""The inbound path's view of members: who is at an address, when they were seen, whether messages reach them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brand
from crm.db import clock
from crm.db.session import vault
from crm.events.catalogue import MemberCreated, ReachabilityChanged
from crm.events.service import publish
from crm.kit.text import clean_text
from crm.members import policy, zones
from crm.members.addresses import clean_address
from crm.members.repository import (
    IDENTITIES,
    find_contact,
    identity_of,
    insert_identity,
    insert_member,
    mark_seen,
    member_of,
)
from crm.members.types import Contact, Identity, MemberStatus
from crm.profiles import service as profiles

SEEN_EVERY = timedelta(minutes=5)
_MAX_USERNAME = 64


@dataclass(frozen=True)
class Sighting:
    """What a channel says about who wrote."""

    bot_id: int
    channel: str
    address: str
    display_name: str
    username: str | None
    locale_hint: str | None


async def ensure(
    session: AsyncSession, sighting: Sighting, *, revives: bool, found: Mapping[str, Any] | None
) -> Contact:
    """See `service.ensure_identity`."""
    sighting = _cleaned(sighting)
    row = found
    if row is None or row["identity_address"] != sighting.address:
        row = await find_contact(session, sighting.bot_id, sighting.address)
    if row is not None and row["member_status"] == MemberStatus.MERGED:
        row = await find_contact(session, sighting.bot_id, sighting.address)  # a merge ended while we waited for it
    if row is None:
        created = await _create(session, sighting)
        if created is not None:
            return created
        row = await find_contact(session, sighting.bot_id, sighting.address)
        assert row is not None
    return await _known(session, row, sighting, revives=revives)


async def find(session: AsyncSession, bot_id: int, address: str) -> Contact | None:
    """See `service.find_contact`."""
    row = await find_contact(session, bot_id, address)
    if row is None:
        return None
    clock.remember(session, row["now"])
    member = member_of(row, vault(session), row["now"], "member_")
    return Contact(identity_of(row, "identity_"), member, is_new=False)


async def touch(session: AsyncSession, identity: Identity) -> None:
    """See `service.touch`."""
    await mark_seen(session, identity, await clock.now(session))


async def set_reachable(session: AsyncSession, identity: Identity, is_reachable: bool, reason: str | None) -> None:
    """See `service.set_reachable`."""
    reason = None if is_reachable else (reason or "unknown")
    await profiles.hold(session, identity.member_id)
    await session.execute(
        update(IDENTITIES)
        .where(IDENTITIES.c.id == identity.id)
        .values(is_reachable=is_reachable, unreachable_reason=reason)
    )
    if is_reachable == identity.is_reachable:
        return
    await record_reachability(session, identity.member_id)
    await publish(
        session,
        ReachabilityChanged(
            member_id=identity.member_id, identity_id=identity.id, is_reachable=is_reachable, reason=reason
        ),
    )


async def record_reachability(session: AsyncSession, member_id: int) -> None:
    """Keep the profile's fact whether any identity of the member can be reached."""
    reachable = exists(IDENTITIES.c.id).where(IDENTITIES.c.member_id == member_id, IDENTITIES.c.is_reachable)
    found = (await session.execute(select(reachable))).scalar_one()
    await profiles.record(session, member_id, is_reachable=found)


def _cleaned(sighting: Sighting) -> Sighting:
    username = clean_text(sighting.username or "").strip()[:_MAX_USERNAME] or None
    return replace(sighting, address=clean_address(sighting.address), username=username)


async def _known(session: AsyncSession, row: Mapping[str, Any], sighting: Sighting, *, revives: bool) -> Contact:
    now = clock.remember(session, row["now"])
    zones.note(session, row, now)
    identity = identity_of(row, "identity_")
    member = member_of(row, vault(session), now, "member_")
    changes = _changes(identity, sighting)
    if changes or now - identity.last_seen_at >= SEEN_EVERY:
        await mark_seen(session, identity, now, **changes)
        identity = replace(identity, last_seen_at=now, **changes)
        member = replace(member, last_seen_at=now)
    if revives and not identity.is_reachable:
        await set_reachable(session, identity, True, None)
        identity = replace(identity, is_reachable=True, unreachable_reason=None)
    return Contact(identity, member, is_new=False)


def _changes(identity: Identity, sighting: Sighting) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if sighting.display_name and sighting.display_name != identity.display_name:
        changes["display_name"] = sighting.display_name
    if sighting.username is not None and sighting.username != identity.username:
        changes["username"] = sighting.username
    return changes


async def _create(session: AsyncSession, sighting: Sighting) -> Contact | None:
    """Member, profile and identity of a stranger; None when another transaction was first."""
    house = await brand.get(session)
    locale = policy.locale_for(sighting.locale_hint, house.locales, house.default_locale)
    now = await clock.now(session)
    name = sighting.display_name
    times = {"created_at": now, "last_seen_at": now}
    async with session.begin_nested() as savepoint:
        member_row = await insert_member(session, sighting.bot_id, display_name=name, locale=locale, **times)
        member = member_of(member_row, vault(session), now)
        identity_row = await insert_identity(
            session,
            member_id=member.id,
            bot_id=sighting.bot_id,
            channel=sighting.channel,
            address=sighting.address,
            display_name=name,
            username=sighting.username,
            **times,
        )
        if identity_row is None:
            await savepoint.rollback()
            return None
        await profiles.create(session, member.id, locale=locale, last_seen_at=now, joined_at=now)
        await publish(session, MemberCreated(member_id=member.id, channel=sighting.channel))
    return Contact(identity_of(identity_row), member, is_new=True)
