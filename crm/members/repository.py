"""Rows of members and identities as values, and the statements of the inbound path."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, Table, bindparam, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.bots.views import bots
from crm.brand.views import zone as brand_zone
from crm.db import clock
from crm.db.prepared import Prepared
from crm.db.session import vault
from crm.kit.crypto import Vault
from crm.kit.shapes import names_of
from crm.members import policy
from crm.members.models import IdentityRow, MemberRow
from crm.members.types import Identity, Member, MemberStatus
from crm.profiles import service as profiles
from crm.profiles import statements

MEMBERS: Table = MemberRow.metadata.tables["members"]
IDENTITIES: Table = IdentityRow.metadata.tables["identities"]
_COLUMNS = tuple(column.name for column in MEMBERS.c)
_JUDGED = {"time_zone", "next_time_zone", "zone_changes_at", "status"}
_KEPT = tuple(name for name in names_of(Member) if name in _COLUMNS and name not in _JUDGED)
"""Facts of a member that are shown as they stand in the row; all these names are collected once, not per update."""
PHONE, PHONE_TAIL, EMAIL, PERSONAL = "members.phone", "members.phone_tail", "members.email", "members.personal"

CONTACT = statements.held(
    select(
        func.siyu_now().label("now"),
        brand_zone.label("of_brand"),
        *(column.label(f"identity_{column.name}") for column in IDENTITIES.c),
        *(column.label(f"member_{column.name}") for column in MEMBERS.c),
    )
    .join_from(IDENTITIES, MEMBERS, MEMBERS.c.id == IDENTITIES.c.member_id)
    .where(IDENTITIES.c.bot_id == bindparam("bot_id"), IDENTITIES.c.address == bindparam("address")),
    MEMBERS,
)
"""Identity and member (`identity_*`, `member_*`) at the address `address` of the bot `bot_id`, with `now` and zone.

It holds the profile until the transaction ends, as `entering` says, so that a merge waits for what is under way. The
member is locked after it, to be read as a merge that was waited for has left it.
"""
_FIND_CONTACT = Prepared(CONTACT)
_ZONE = Prepared(
    select(
        func.siyu_now().label("now"),
        MEMBERS.c.id,
        MEMBERS.c.time_zone,
        MEMBERS.c.next_time_zone,
        MEMBERS.c.zone_changes_at,
        brand_zone.label("of_brand"),
    ).where(MEMBERS.c.id == bindparam("own_id")),
    one_by={"id": "own_id"},
    time_in="now",
)


def identity_of(row: Mapping[Any, Any], prefix: str = "") -> Identity:
    """An identity from a row whose columns start with `prefix`."""
    return Identity(**{name: row[prefix + name] for name in names_of(Identity)})


def member_of(row: Mapping[Any, Any], safe: Vault, now: datetime, prefix: str = "") -> Member:
    """A member from a row whose columns start with `prefix`, as of `now`."""
    facts = {name: row[prefix + name] for name in _COLUMNS}
    member_id, changes_at = facts["id"], facts["zone_changes_at"]
    zone = policy.zone_in_force(facts["time_zone"], facts["next_time_zone"], changes_at, now)
    is_pending = changes_at is not None and now < changes_at
    return Member(
        **{name: facts[name] for name in _KEPT},
        time_zone=zone,
        next_time_zone=facts["next_time_zone"] if is_pending else None,
        zone_changes_at=changes_at if is_pending else None,
        is_signed_up=facts["signed_up_at"] is not None,
        phone_masked=masked_phone(facts["phone_sealed"], member_id, safe),
        email_masked=_masked_email(facts["email_sealed"], member_id, safe),
        status=MemberStatus(facts["status"]),
    )


def masked_phone(sealed: bytes | None, member_id: int, safe: Vault) -> str | None:
    """The masked form of a sealed phone."""
    return None if sealed is None else policy.masked_phone(safe.open(sealed, f"{PHONE}:{member_id}"))


def _masked_email(sealed: bytes | None, member_id: int, safe: Vault) -> str | None:
    return None if sealed is None else policy.masked_email(safe.open(sealed, f"{EMAIL}:{member_id}"))


async def find_contact(session: AsyncSession, bot_id: int, address: str) -> Mapping[str, Any] | None:
    """The row of `CONTACT` at an address, None when nobody wrote from there."""
    row: Mapping[str, Any] | None = await _FIND_CONTACT.first(session, bot_id=bot_id, address=address)
    return row


async def zone_row(session: AsyncSession, member_id: int) -> Mapping[str, Any] | None:
    """The member's zone, the next one and when it comes into force, with the brand's zone beside them."""
    row: Mapping[str, Any] | None = await _ZONE.first(session, own_id=member_id)
    if row is not None:
        clock.remember(session, row["now"])
    return row


async def mark_seen(session: AsyncSession, identity: Identity, now: datetime, **changes: Any) -> None:
    """Set when identity, member and profile were last heard of, and `changes` of the identity, in one statement."""
    own = update(IDENTITIES).where(IDENTITIES.c.id == identity.id).values(last_seen_at=now, **changes)
    member = update(MEMBERS).where(MEMBERS.c.id == identity.member_id).values(last_seen_at=now)
    both = statements.seen(identity.member_id, now).add_cte(own.cte("own"), member.cte("member"))
    await session.execute(both)


async def insert_member(session: AsyncSession, bot_id: int, **values: Any) -> RowMapping:
    """A new lead, demo data when its bot is; answers the row."""
    is_demo = select(bots.c.is_demo).where(bots.c.id == bot_id).scalar_subquery()
    found = await session.execute(insert(MEMBERS).values(is_demo=is_demo, **values).returning(*MEMBERS.c))
    return found.mappings().one()


async def insert_identity(session: AsyncSession, **values: Any) -> RowMapping | None:
    """A new identity; None when another transaction was first with this address."""
    statement = upsert(IDENTITIES).values(**values).on_conflict_do_nothing().returning(*IDENTITIES.c)
    return (await session.execute(statement)).mappings().one_or_none()


async def load(session: AsyncSession, member_id: int, *, for_update: bool = False) -> Member | None:
    """One member, whose profile is locked first when it is to be changed."""
    query = select(MEMBERS).where(MEMBERS.c.id == member_id)
    if for_update:
        await profiles.hold(session, member_id)
    row = (await session.execute(query)).mappings().one_or_none()
    return None if row is None else member_of(row, vault(session), await clock.now(session))
