"""Joining two members' own details and identities: the kept one wins, its gaps are filled."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, DateTime, RowMapping, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.session import vault
from crm.events.catalogue import IdentityLinked
from crm.events.service import publish
from crm.members import attributes, attribution, contacts, zones
from crm.members.repository import EMAIL, IDENTITIES, MEMBERS, PHONE
from crm.members.sealing import email_columns, phone_columns
from crm.profiles import service as profiles

_GROUPS = {
    "display_name": ("display_name",),
    "birthday": ("birthday",),
    "phone": ("phone_sealed", "is_phone_verified"),
    "email": ("email_sealed",),
    "signed_up_at": ("signed_up_at",),
    "sources": ("first_source_id", "last_source_id"),
    "last_seen_at": ("last_seen_at",),
}
"""Columns that go over together, or not at all."""
_SEALED = {"phone_sealed": (PHONE, phone_columns), "email_sealed": (EMAIL, email_columns)}
"""Whose values a record holds opened, for it is sealed as a whole: the key may change before it is undone."""


class MembersMerge:
    """Moves identities and fills the kept member's gaps."""

    name = "members"

    async def merge(self, session: AsyncSession, keep_id: int, drop_id: int) -> dict[str, Any]:
        """Answers which identities moved, and for each group of columns taken over what it was and became."""
        keep, drop = await _row(session, keep_id), await _row(session, drop_id)
        moved = await _move_identities(session, drop_id, keep_id)
        taken = {name: _taken(session, name, keep, drop) for name in _GROUPS if _is_taken(name, keep, drop)}
        before = {name: _values(session, name, keep) for name in taken}
        await _write(session, keep_id, _columns(session, keep_id, taken))
        plain, personal = await _fill_attributes(session, keep, drop)
        return {
            "identities": moved,
            "before": {name: _encoded(group) for name, group in before.items()},
            "taken": {name: _encoded(group) for name, group in taken.items()},
            "attributes": plain,
            "personal": personal,
        }

    async def undo(self, session: AsyncSession, keep_id: int, drop_id: int, record: dict[str, Any]) -> None:
        """Identities go back; columns and attributes return to what they were unless changed since."""
        keep = await _row(session, keep_id)
        back: dict[str, Any] = {}
        for name, group in record["taken"].items():
            if _encoded(_values(session, name, keep)) == group:
                back[name] = _decoded(record["before"][name])
        await _write(session, keep_id, _columns(session, keep_id, back))
        await _drop_attributes(session, keep, record)
        own = IDENTITIES.c.id.in_(record["identities"]), IDENTITIES.c.member_id == keep_id
        await session.execute(update(IDENTITIES).where(*own).values(member_id=drop_id))
        for member_id in (keep_id, drop_id):
            await contacts.record_reachability(session, member_id)


async def _row(session: AsyncSession, member_id: int) -> RowMapping:
    return (await session.execute(select(MEMBERS).where(MEMBERS.c.id == member_id))).mappings().one()


async def _move_identities(session: AsyncSession, from_id: int, to_id: int) -> list[int]:
    moving = update(IDENTITIES).where(IDENTITIES.c.member_id == from_id).values(member_id=to_id)
    rows = (await session.execute(moving.returning(IDENTITIES.c.id, IDENTITIES.c.channel))).all()
    for identity_id, channel in rows:
        await publish(session, IdentityLinked(member_id=to_id, channel=channel, identity_id=identity_id))
    for member_id in (from_id, to_id):
        await contacts.record_reachability(session, member_id)
    return sorted(row.id for row in rows)


def _is_taken(name: str, keep: RowMapping, drop: RowMapping) -> bool:
    if name == "sources":
        return drop["first_source_id"] is not None
    if name == "phone" and drop["is_phone_verified"] and not keep["is_phone_verified"]:
        return True
    first = _GROUPS[name][0]
    if name in {"signed_up_at", "last_seen_at"}:
        return drop[first] is not None and _merged_time(name, keep[first], drop[first]) != keep[first]
    return not keep[first] and bool(drop[first])


def _taken(session: AsyncSession, name: str, keep: RowMapping, drop: RowMapping) -> dict[str, Any]:
    values = _values(session, name, drop)
    if name in {"signed_up_at", "last_seen_at"}:
        values[name] = _merged_time(name, keep[name], drop[name])
    if name == "sources":
        values = _merged_sources(keep, drop)
    return values


def _values(session: AsyncSession, name: str, row: RowMapping) -> dict[str, Any]:
    """The group's columns of a row, sealed ones opened."""
    values = {column: row[column] for column in _GROUPS[name]}
    for column in values.keys() & _SEALED.keys():
        if values[column] is not None:
            values[column] = vault(session).open(values[column], f"{_SEALED[column][0]}:{row['id']}")
    return values


def _columns(session: AsyncSession, member_id: int, groups: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The groups' values as this member's row keeps them, with the indexes of the sealed ones."""
    values = {column: value for group in groups.values() for column, value in group.items()}
    for column in values.keys() & _SEALED.keys():
        values |= _SEALED[column][1](vault(session), member_id, values[column])
    return values


def _merged_time(name: str, keep: datetime | None, drop: datetime) -> datetime:
    """The first sign-up and the last sight of either."""
    if keep is None:
        return drop
    return min(keep, drop) if name == "signed_up_at" else max(keep, drop)


def _merged_sources(keep: RowMapping, drop: RowMapping) -> dict[str, Any]:
    """The first source of whoever came first, the last of whoever was seen last."""
    older, newer = sorted((keep, drop), key=lambda row: row["created_at"])
    last, before = sorted((keep, drop), key=lambda row: row["last_seen_at"], reverse=True)
    return {
        "first_source_id": older["first_source_id"] or newer["first_source_id"],
        "last_source_id": last["last_source_id"] or before["last_source_id"],
    }


async def _write(session: AsyncSession, member_id: int, values: dict[str, Any]) -> None:
    """Write columns, and the profile's copies of them."""
    zones.forget(session)
    version = MEMBERS.c.version + 1
    await session.execute(update(MEMBERS).where(MEMBERS.c.id == member_id).values(**values, version=version))
    if "signed_up_at" in values:
        await profiles.record(session, member_id, signed_up_at=values["signed_up_at"])
    if "last_seen_at" in values:
        await profiles.record(session, member_id, last_seen_at=values["last_seen_at"])
    if "first_source_id" in values:
        await attribution.set_sources(session, member_id, values["first_source_id"], values["last_source_id"])


async def _fill_attributes(
    session: AsyncSession, keep: RowMapping, drop: RowMapping
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Add the attributes that the kept member lacks; answers the plain and the personal ones added."""
    plain = {key: value for key, value in drop["attributes"].items() if key not in keep["attributes"]}
    own = attributes.open_personal(session, keep["id"], keep["personal_sealed"])
    others = attributes.open_personal(session, drop["id"], drop["personal_sealed"])
    personal = {key: value for key, value in others.items() if key not in own}
    await _write_attributes(session, keep["id"], {**keep["attributes"], **plain}, {**own, **personal})
    return plain, personal


async def _drop_attributes(session: AsyncSession, keep: RowMapping, record: dict[str, Any]) -> None:
    own = attributes.open_personal(session, keep["id"], keep["personal_sealed"])
    plain = _without(keep["attributes"], record["attributes"])
    await _write_attributes(session, keep["id"], plain, _without(own, record["personal"]))


def _without(values: dict[str, Any], added: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in added or added[key] != value}


async def _write_attributes(
    session: AsyncSession, member_id: int, plain: dict[str, Any], personal: dict[str, Any]
) -> None:
    sealed = attributes.seal_personal(session, member_id, personal)
    written = update(MEMBERS).where(MEMBERS.c.id == member_id).values(attributes=plain, personal_sealed=sealed)
    await session.execute(written)


def _encoded(values: dict[str, Any]) -> dict[str, Any]:
    return {column: _plain(value) for column, value in values.items()}


def _plain(value: Any) -> Any:
    match value:
        case datetime() | date():
            return value.isoformat()
        case _:
            return value


def _decoded(values: dict[str, Any]) -> dict[str, Any]:
    return {column: None if value is None else _read(column, value) for column, value in values.items()}


def _read(column: str, value: Any) -> Any:
    match MEMBERS.c[column].type:
        case DateTime():
            return datetime.fromisoformat(value)
        case Date():
            return date.fromisoformat(value)
        case _:
            return value


members_merge = MembersMerge()
