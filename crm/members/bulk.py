"""Many members at once: making them for an import, matching them, and reading them for an export."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import RowMapping, func, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.db.session import vault
from crm.events.catalogue import MemberCreated
from crm.events.service import publish_many
from crm.kit.crypto import Vault
from crm.members import attributes, policy
from crm.members.repository import EMAIL, MEMBERS, PHONE
from crm.members.sealing import email_columns, phone_columns
from crm.profiles import service as profiles


@dataclass(frozen=True)
class NewMember:
    """A member who has no channel account yet; phone and e-mail are normal forms, attributes are checked."""

    display_name: str
    locale: str
    time_zone: str | None = None
    birthday: date | None = None
    phone: str | None = None
    email: str | None = None
    plain: dict[str, Any] = field(default_factory=dict)
    personal: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class MemberDetails:
    """One member in full, for an export; phone and e-mail are plain only if asked for."""

    id: int
    display_name: str
    locale: str
    time_zone: str | None
    birthday: date | None
    phone: str | None
    email: str | None
    attributes: dict[str, Any]
    signed_up_at: datetime | None
    created_at: datetime


async def create(session: AsyncSession, new: Sequence[NewMember], *, channel: str) -> list[int]:
    """Make these members with profiles and events, unreachable until they write; answers their ids in order."""
    if not new:
        return []
    now = await clock.now(session)
    drawn = await session.scalars(select(func.nextval("members_id_seq")).select_from(func.generate_series(1, len(new))))
    ids = list(drawn)
    safe = vault(session)
    rows = [_row(session, safe, member_id, item) for member_id, item in zip(ids, new, strict=True)]
    await session.execute(insert(MEMBERS), [{**row, "created_at": now, "last_seen_at": now} for row in rows])
    facts = {"joined_at": now, "is_reachable": False}
    named = zip(ids, new, strict=True)
    await profiles.create_many(session, [{"member_id": own, "locale": item.locale, **facts} for own, item in named])
    await publish_many(session, [MemberCreated(member_id=member_id, channel=channel) for member_id in ids])
    return ids


async def by_phones(session: AsyncSession, phones: Sequence[str]) -> dict[str, list[int]]:
    """Ids of the active members of each phone (E.164), in one query; phones of nobody are left out."""
    safe = vault(session)
    return await _matching(session, "phone_index", {key: it for it in phones for key in safe.blind_indexes(it, PHONE)})


async def by_emails(session: AsyncSession, emails: Sequence[str]) -> dict[str, list[int]]:
    """Ids of the active members of each e-mail address, in one query; those of nobody are left out."""
    safe = vault(session)
    return await _matching(session, "email_index", {key: it for it in emails for key in safe.blind_indexes(it, EMAIL)})


async def details(session: AsyncSession, member_ids: Sequence[int], *, with_personal: bool) -> list[MemberDetails]:
    """These members in full, in the order of the ids given; personal data masked or left out unless asked for."""
    rows = await session.execute(select(MEMBERS).where(MEMBERS.c.id.in_(member_ids)))
    found = {row["id"]: _details(session, row, with_personal) for row in rows.mappings()}
    return [found[member_id] for member_id in member_ids if member_id in found]


async def _matching(session: AsyncSession, column: str, wanted: dict[bytes, str]) -> dict[str, list[int]]:
    own = (MEMBERS.c[column].in_(list(wanted)), MEMBERS.c.status == "active")
    rows = await session.execute(select(MEMBERS.c.id, MEMBERS.c[column].label("key")).where(*own).order_by("id"))
    found: dict[str, list[int]] = {}
    for row in rows:
        found.setdefault(wanted[row.key], []).append(row.id)
    return found


def _row(session: AsyncSession, safe: Vault, member_id: int, new: NewMember) -> dict[str, Any]:
    return {
        "id": member_id,
        "display_name": new.display_name,
        "locale": new.locale,
        "time_zone": new.time_zone,
        "birthday": new.birthday,
        **phone_columns(safe, member_id, new.phone or None),
        **email_columns(safe, member_id, new.email or None),
        "attributes": new.plain,
        "personal_sealed": attributes.seal_personal(session, member_id, new.personal),
    }


def _details(session: AsyncSession, row: RowMapping, with_personal: bool) -> MemberDetails:
    member_id = row["id"]
    phone = _opened(session, row["phone_sealed"], f"{PHONE}:{member_id}")
    email = _opened(session, row["email_sealed"], f"{EMAIL}:{member_id}")
    personal = attributes.open_personal(session, member_id, row["personal_sealed"]) if with_personal else {}
    return MemberDetails(
        id=member_id,
        display_name=row["display_name"],
        locale=row["locale"],
        time_zone=row["time_zone"],
        birthday=row["birthday"] if with_personal else None,
        phone=phone if with_personal or phone is None else policy.masked_phone(phone),
        email=email if with_personal or email is None else policy.masked_email(email),
        attributes={**row["attributes"], **personal},
        signed_up_at=row["signed_up_at"],
        created_at=row["created_at"],
    )


def _opened(session: AsyncSession, sealed: bytes | None, place: str) -> str | None:
    return None if sealed is None else vault(session).open(sealed, place)


async def names(session: AsyncSession, member_ids: Sequence[int]) -> dict[int, str]:
    """What members are called, by id."""
    query = select(MEMBERS.c.id, MEMBERS.c.display_name).where(MEMBERS.c.id.in_(set(member_ids)))
    return {row.id: row.display_name for row in await session.execute(query)}
