"""Changing a member's own details: one lock, one check of everything, one write, one event."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brand
from crm.brand.types import Brand
from crm.db import clock
from crm.db.session import vault
from crm.events.catalogue import MemberUpdated
from crm.events.service import publish
from crm.kit.text import clean_name
from crm.members import attributes, phones, policy, zones
from crm.members.errors import InvalidMember, MemberChanged, MemberGone, MemberNotFound, UnknownLocale
from crm.members.repository import MEMBERS, PHONE, load
from crm.members.sealing import email_columns, phone_columns
from crm.members.types import UNSET, Member, MemberChanges, MemberStatus
from crm.profiles import service as profiles

_OLDEST_YEAR = 1900


@dataclass(frozen=True)
class _Setting:
    """Against what changes are checked."""

    member: Member
    brand: Brand
    now: datetime


async def change(
    session: AsyncSession, member_id: int, changes: MemberChanges, *, by: str, expected_version: int | None
) -> Member:
    """See `service.change`."""
    member = await lock(session, member_id)
    if expected_version is not None and expected_version != member.version:
        raise MemberChanged(version=member.version)
    values = _values(changes, _Setting(member, await brand.get(session), await clock.now(session)))
    changed = sorted({*_fields(changes), *changes.attributes})
    values |= await _attribute_values(session, member, changes.attributes)
    if not values:
        return member
    if "locale" in values:
        await profiles.record(session, member_id, locale=values["locale"])
    return await write(session, member_id, values, changed=changed, by=by)


async def set_phone(
    session: AsyncSession, member_id: int, phone: str, *, is_verified: bool, region: str | None, by: str
) -> Member:
    """See `service.set_phone`."""
    normal = phones.normal_phone(phone, region or policy.region_of((await brand.get(session)).currency))
    member = await lock(session, member_id)
    safe = vault(session)
    known = await session.scalar(select(MEMBERS.c.phone_index).where(MEMBERS.c.id == member_id))
    is_same = known in safe.blind_indexes(normal, PHONE)
    values = {
        **phone_columns(safe, member_id, normal),
        "is_phone_verified": is_verified or (is_same and member.is_phone_verified),
    }
    return await write(session, member_id, values, changed=["phone"], by=by)


async def set_email(session: AsyncSession, member_id: int, email: str, *, by: str) -> Member:
    """See `service.set_email`."""
    normal = policy.normal_email(email)
    await lock(session, member_id)
    values = email_columns(vault(session), member_id, normal)
    return await write(session, member_id, values, changed=["email"], by=by)


async def lock(session: AsyncSession, member_id: int) -> Member:
    """An active member, locked until the transaction ends. Raises MemberNotFound, MemberGone."""
    member = await load(session, member_id, for_update=True)
    if member is None:
        raise MemberNotFound(member_id=member_id)
    if member.status is not MemberStatus.ACTIVE:
        raise MemberGone(member_id=member_id, merged_into_id=member.merged_into_id)
    return member


async def write(
    session: AsyncSession, member_id: int, values: dict[str, Any], *, changed: list[str], by: str
) -> Member:
    """Write `values`, announce the names in `changed`, answer the member as it is now."""
    zones.forget(session)
    version = MEMBERS.c.version + 1
    await session.execute(update(MEMBERS).where(MEMBERS.c.id == member_id).values(**values, version=version))
    member = await load(session, member_id)
    assert member is not None
    await publish(session, MemberUpdated(member_id=member_id, changed=changed, by=by, filled=_filled(member)))
    return member


def _filled(member: Member) -> list[str]:
    """Names of what the member has told, in order."""
    told = {
        "display_name": member.display_name,
        "phone": member.phone_masked,
        "email": member.email_masked,
        "birthday": member.birthday,
        **member.attributes,
    }
    return sorted(name for name, value in told.items() if value not in (None, "", [], {}))


def _fields(changes: MemberChanges) -> list[str]:
    names = ("display_name", "locale", "time_zone", "birthday")
    return [name for name in names if getattr(changes, name) is not UNSET]


def _values(changes: MemberChanges, setting: _Setting) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if changes.display_name is not UNSET:
        values["display_name"] = _name(changes.display_name)
    if changes.locale is not UNSET:
        values["locale"] = _locale(changes.locale, setting.brand)
    if changes.birthday is not UNSET:
        values["birthday"] = _birthday(changes.birthday, setting.now)
    if changes.time_zone is not UNSET:
        values |= _zone_values(changes.time_zone, setting)
    return values


def _name(name: str) -> str:
    cleaned = clean_name(name)
    if not cleaned:
        raise InvalidMember("a name needs at least one visible character")
    return cleaned


def _locale(locale: str, house: Brand) -> str:
    if locale not in house.locales:
        raise UnknownLocale(f"the language {locale[:32]!r} is not one of the brand's: {', '.join(house.locales)}")
    return locale


def _birthday(birthday: date | None, now: datetime) -> date | None:
    if birthday is not None and not _OLDEST_YEAR <= birthday.year <= now.year:
        raise InvalidMember(f"a birthday lies between the year {_OLDEST_YEAR} and today")
    if birthday is not None and birthday > now.date():
        raise InvalidMember("a birthday cannot lie in the future")
    return birthday


def _zone_values(wanted: str | None, setting: _Setting) -> dict[str, Any]:
    """At once for a lead; for a member from the next local day, so that no day can be had twice."""
    member = setting.member
    if wanted is not None:
        policy.known_zone(wanted)
    if not member.is_signed_up or wanted == member.time_zone:
        return {"time_zone": wanted, "next_time_zone": None, "zone_changes_at": None}
    current = ZoneInfo(member.time_zone or setting.brand.time_zone)
    midnight = policy.next_midnight(current, setting.now)
    return {"time_zone": member.time_zone, "next_time_zone": wanted, "zone_changes_at": midnight}


async def _attribute_values(session: AsyncSession, member: Member, patch: dict[str, Any]) -> dict[str, Any]:
    plain, personal = await attributes.split_patch(session, patch)
    values: dict[str, Any] = {}
    if plain:
        values["attributes"] = attributes.patched(member.attributes, plain)
    if personal:
        sealed = await session.scalar(select(MEMBERS.c.personal_sealed).where(MEMBERS.c.id == member.id))
        opened = attributes.patched(attributes.open_personal(session, member.id, sealed), personal)
        values["personal_sealed"] = attributes.seal_personal(session, member.id, opened)
    return values
