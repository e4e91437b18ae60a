"""The plain values of members that templates may use."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import ARRAY, BigInteger, Text, any_, bindparam, cast, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brands
from crm.db.prepared import Prepared
from crm.members.errors import MemberNotFound
from crm.members.views import members
from crm.messages.types import Recipient
from crm.profiles.views import profiles
from crm.tags import service as tags


async def recipient(session: AsyncSession, member_id: int) -> Recipient:
    """The plain values that a template may use of one member. Raises MemberNotFound."""
    found = await recipients(session, [member_id])
    if member_id not in found:
        raise MemberNotFound(member_id=member_id)
    return found[member_id]


_RECIPIENTS = Prepared(
    select(
        members.c.id,
        members.c.display_name,
        members.c.locale,
        cast(members.c.attributes, Text),
        profiles.c.points_balance,
        profiles.c.tier,
        profiles.c.streak,
        profiles.c.tag_ids,
    )
    .join(profiles, profiles.c.member_id == members.c.id)
    .where(members.c.id == any_(bindparam("ids", type_=ARRAY(BigInteger))))
)


async def recipients(session: AsyncSession, member_ids: Sequence[int]) -> dict[int, Recipient]:
    """The same for many members, in two queries whatever their number; ids of nobody are left out."""
    brand = await brands.get(session)
    rows = await _RECIPIENTS.fetch(session, ids=list(member_ids))
    tag_ids = {tag_id for row in rows for tag_id in row["tag_ids"]}
    names = await tags.labels(session, sorted(tag_ids)) if tag_ids else {}
    shown = {"name": brand.name}
    return {row["id"]: _recipient(row, names, shown, brand.default_locale) for row in rows}


def _recipient(row: Any, names: Mapping[int, str], brand: dict[str, Any], default_locale: str) -> Recipient:
    _, name, locale, attributes, points, tier, streak, tag_ids = row
    locale = locale or default_locale
    member = {
        "name": name or friend(locale),
        "points": points,
        "tier": tier or "",
        "streak": streak,
        "tags": [names[tag_id] for tag_id in tag_ids if tag_id in names] if tag_ids else [],
        "attributes": orjson.loads(attributes) if attributes != "{}" else {},
        "locale": locale,
    }
    return Recipient(locale, member, brand)


def friend(locale: str) -> str:
    """What a member without a name is called."""
    return "朋友" if locale.startswith("zh") else "friend"
