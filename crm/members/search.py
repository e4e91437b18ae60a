"""Finding members: the keyset list with its filters."""

import re
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, String, column, func, or_, select, true, union
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brand
from crm.db.session import vault
from crm.kit.crypto import Vault
from crm.kit.paging import Page, check_limit, decode_cursor, page_of
from crm.members import phones, policy
from crm.members.errors import InvalidEmail, InvalidPhone
from crm.members.repository import EMAIL, IDENTITIES, MEMBERS, PHONE, PHONE_TAIL, masked_phone
from crm.members.types import MemberQuery, MemberSummary
from crm.profiles.views import profiles

_MAX_QUERY = 200
_LAST_FOUR = re.compile(rf"[0-9]{{{policy.TAIL_DIGITS}}}")


async def page(session: AsyncSession, query: MemberQuery) -> Page[MemberSummary]:
    """Active members that fit the query, newest first. Raises InvalidCursor, InvalidLimit."""
    limit = check_limit(query.limit)
    chosen = _lines().where(*_filters(query)).order_by(MEMBERS.c.id.desc()).limit(limit + 1)
    text = query.query.replace("\x00", "").strip()[:_MAX_QUERY]
    if text:
        chosen = chosen.where(MEMBERS.c.id.in_(await _matching(session, text)))
    rows = (await session.execute(chosen)).mappings().all()
    safe = vault(session)
    return page_of(rows, limit, lambda row: _summary(row, safe), lambda row: (row["id"],))


def _lines() -> Select[Any]:
    channels = (
        select(func.array_agg(IDENTITIES.c.channel.distinct(), type_=ARRAY(String)))
        .where(IDENTITIES.c.member_id == MEMBERS.c.id)
        .scalar_subquery()
    )
    own = ("id", "display_name", "locale", "phone_sealed", "signed_up_at", "last_seen_at", "is_demo", "created_at")
    derived = ("stage", "points_balance", "tag_ids", "is_reachable", "orders_count", "orders_total")
    return select(
        *(MEMBERS.c[name] for name in own), *(profiles.c[name] for name in derived), channels.label("channels")
    ).join_from(MEMBERS, profiles, profiles.c.member_id == MEMBERS.c.id)


def _filters(query: MemberQuery) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [true()]
    if query.cursor is not None:
        found.append(MEMBERS.c.id < decode_cursor(query.cursor, int)[0])
    if query.tag is not None:
        found.append(profiles.c.tag_ids.overlap([query.tag]))
    if query.stage is not None:
        found.append(profiles.c.stage == query.stage)
    if query.channel is not None:
        found.append(MEMBERS.c.id.in_(select(IDENTITIES.c.member_id).where(IDENTITIES.c.channel == query.channel)))
    if query.source_id is not None:
        found.append(or_(profiles.c.first_source_id == query.source_id, profiles.c.last_source_id == query.source_id))
    return found


async def _matching(session: AsyncSession, text: str) -> Select[Any]:
    pattern = "%" + re.sub(r"([\\%_])", r"\\\1", text) + "%"
    username = pattern.replace("%@", "%", 1)
    found = [
        select(MEMBERS.c.id.label("id")).where(MEMBERS.c.display_name.ilike(pattern)),
        select(IDENTITIES.c.member_id).where(IDENTITIES.c.display_name.ilike(pattern)),
        select(IDENTITIES.c.member_id).where(IDENTITIES.c.username.ilike(username)),
        select(IDENTITIES.c.member_id).where(IDENTITIES.c.address == text),
    ]
    if _LAST_FOUR.fullmatch(text):
        tails = vault(session).blind_indexes(text, PHONE_TAIL)
        found.append(select(MEMBERS.c.id).where(MEMBERS.c.phone_tail_index.in_(tails)))
    if phones := await _phone_indexes(session, text):
        found.append(select(MEMBERS.c.id).where(MEMBERS.c.phone_index.in_(phones)))
    if emails := _email_indexes(session, text):
        found.append(select(MEMBERS.c.id).where(MEMBERS.c.email_index.in_(emails)))
    return select(column("id")).select_from(union(*found).subquery("matching"))


async def _phone_indexes(session: AsyncSession, text: str) -> tuple[bytes, ...]:
    region = policy.region_of((await brand.get(session)).currency)
    try:
        return vault(session).blind_indexes(phones.normal_phone(text, region), PHONE)
    except InvalidPhone:
        return ()


def _email_indexes(session: AsyncSession, text: str) -> tuple[bytes, ...]:
    try:
        return vault(session).blind_indexes(policy.normal_email(text), EMAIL)
    except InvalidEmail:
        return ()


def _summary(row: RowMapping, safe: Vault) -> MemberSummary:
    facts = {name: row[name] for name in row if name not in {"phone_sealed", "channels", "tag_ids"}}
    return MemberSummary(
        **facts,
        phone_masked=masked_phone(row["phone_sealed"], row["id"], safe),
        tag_ids=list(row["tag_ids"]),
        channels=sorted(row["channels"] or []),
    )
