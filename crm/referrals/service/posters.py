"""Posters of members, drawn once and kept as pictures."""

import asyncio
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brand
from crm.media import service as media
from crm.members import service as members
from crm.referrals import poster
from crm.referrals.models import PosterRow
from crm.referrals.poster import Poster
from crm.referrals.service import links, programmes

_HEADLINE = {"zh-CN": "好东西，想和你分享", "en": "Something good to share with you"}
_INVITER = {"zh-CN": "{name} 邀请你加入", "en": "{name} invites you"}
_NAMELESS = {"zh-CN": "朋友邀请你加入", "en": "A friend invites you"}
_HINT = {"zh-CN": "扫码加入", "en": "Scan the code to join"}


async def poster_of(session: AsyncSession, member_id: int, *, bot_id: int) -> UUID:
    """The picture of the member's poster for this bot, in their language; drawn when it looks new.

    Raises NoAddress, PosterUnavailable when the font is missing.
    """
    wanted = await _describe(session, member_id, bot_id)
    known = await session.scalar(select(PosterRow.media_id).where(PosterRow.digest == wanted.digest))
    if known is not None:
        return known
    drawn = await asyncio.to_thread(poster.draw, wanted, poster.FONT)
    picture = await media.store_image(session, drawn)
    row = upsert(PosterRow).values(digest=wanted.digest, member_id=member_id, media_id=picture.id)
    await session.execute(row.on_conflict_do_nothing())
    return picture.id


async def _describe(session: AsyncSession, member_id: int, bot_id: int) -> Poster:
    member, house = await members.get(session, member_id), await brand.get(session)
    programme = await programmes.running(session)
    locale = member.locale if member.locale in _HINT else "en"
    headline = (programme.headline if programme else {}).get(locale) or _HEADLINE[locale]
    name = member.display_name
    inviter = _INVITER[locale].format(name=name) if name else _NAMELESS[locale]
    url = await links.link(session, member_id, bot_id=bot_id)
    return Poster(house.name, headline, inviter, _HINT[locale], url)
