"""Members for tests."""

import secrets

from sqlalchemy.ext.asyncio import AsyncSession

from crm.bots.types import Bot
from crm.members import service
from crm.members.types import Contact, Member, MemberQuery
from tests.factories.bots import make_bot


async def make_contact(
    session: AsyncSession,
    *,
    bot: Bot | None = None,
    address: str | None = None,
    display_name: str = "Li Hua",
    username: str | None = None,
    locale_hint: str | None = "en",
) -> Contact:
    """A stranger who just wrote to `bot` (a new one when none is given)."""
    bot = bot or await make_bot(session)
    return await service.ensure_identity(
        session,
        bot_id=bot.id,
        channel=bot.channel,
        address=address or str(secrets.randbits(48)),
        display_name=display_name,
        username=username,
        locale_hint=locale_hint,
    )


async def make_member(session: AsyncSession, *, bot: Bot | None = None, display_name: str = "Li Hua") -> Member:
    """A member (still a lead) with one identity."""
    return (await make_contact(session, bot=bot, display_name=display_name)).member


async def find_members(session: AsyncSession, query: str) -> list[int]:
    """Ids of whom the list of members shows for this query."""
    return [member.id for member in (await service.page(session, MemberQuery(query=query))).items]
