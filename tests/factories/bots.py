"""Bots for tests."""

from sqlalchemy.ext.asyncio import AsyncSession

from crm.bots import service
from crm.bots.types import Bot


async def make_bot(
    session: AsyncSession, channel: str = "telegram", *, username: str | None = None, is_demo: bool = False
) -> Bot:
    """An active bot without a token; one with a username has links."""
    name = f"{channel} bot"
    return await service.add(session, channel=channel, name=name, token=None, username=username, is_demo=is_demo)
