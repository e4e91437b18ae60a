"""Personal links: a member's opaque code, and the addresses that carry it on every bot."""

from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.bots import service as bots
from crm.db.session import surroundings
from crm.kit.addresses import PUBLIC_URL
from crm.kit.ids import token
from crm.referrals import policy
from crm.referrals.errors import NoAddress
from crm.referrals.models import LinkRow
from crm.sources import service as sources
from crm.sources.types import SourceLink


async def known_code(session: AsyncSession, member_id: int) -> str | None:
    """The member's code, if they ever asked for one; the oldest of several."""
    oldest = select(LinkRow.code).where(LinkRow.member_id == member_id).order_by(LinkRow.created_at, LinkRow.code)
    return await session.scalar(oldest.limit(1))


async def code_of(session: AsyncSession, member_id: int) -> str:
    """The member's code, made when it is first asked for; it stays for ever."""
    known = await known_code(session, member_id)
    if known is not None:
        return known
    one_by_one = text("SELECT pg_advisory_xact_lock(hashtextextended('referral_links', :member_id))")
    await session.execute(one_by_one, {"member_id": member_id})
    known = await known_code(session, member_id)
    if known is None:
        known = token(policy.PREFIX, size=policy.CODE_BYTES)
        await session.execute(insert(LinkRow).values(code=known, member_id=member_id))
    return known


async def owner_of(session: AsyncSession, code: str) -> int | None:
    """Whose code it is; None for anything that is no code."""
    if not policy.CODE.fullmatch(code):
        return None
    return await session.scalar(select(LinkRow.member_id).where(LinkRow.code == code))


async def links(session: AsyncSession, code: str) -> list[SourceLink]:
    """The address with this code on every active bot that has one."""
    public_url = str(surroundings(session).ports.get(PUBLIC_URL) or "")
    found = [(bot, sources.address(bot, code, public_url)) for bot in await bots.listing(session, active_only=True)]
    return [SourceLink(bot.id, bot.channel, url) for bot, url in found if url is not None]


async def link(session: AsyncSession, member_id: int, *, bot_id: int) -> str:
    """The member's address on this bot, or on another one when this has none. Raises NoAddress."""
    found = await links(session, await code_of(session, member_id))
    own = [item.url for item in found if item.bot_id == bot_id]
    if not found:
        raise NoAddress
    return own[0] if own else found[0].url
