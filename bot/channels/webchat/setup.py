"""Which bot a visitor talks with, and that there is one from the first start on."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.channels.contract import ChannelContext
from crm.bots import service as bots
from crm.bots.types import Bot
from crm.brand import service as brand

from .manifest import NAME

_MAX_DIGITS = 18


async def start(context: ChannelContext) -> None:
    """Make the first bot of the web chat where there is none but demo ones."""
    async with context.sessions.begin() as session:
        await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("webchat:first bot", 0))))
        if all(bot.is_demo for bot in await bots.listing(session, NAME)):
            name = (await brand.get(session)).name
            await bots.add(session, channel=NAME, name=name, token=None, mode="socket")


async def served_bot(session: AsyncSession, wanted: str | None) -> Bot | None:
    """The active bot whose id is `wanted`; without one the first that is not for demonstration."""
    active = await bots.listing(session, NAME, active_only=True)
    if not wanted:
        return next((bot for bot in active if not bot.is_demo), None)
    if not (wanted.isascii() and wanted.isdigit() and len(wanted) <= _MAX_DIGITS):
        return None
    return next((bot for bot in active if bot.id == int(wanted)), None)
