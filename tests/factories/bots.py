"""Bots for tests."""

from sqlalchemy.ext.asyncio import AsyncSession

from crm.bots import service
from crm.bots.types import Bot


async def make_bot(session: AsyncSession, channel: str = "telegram", *, is_demo: bool = False) -> Bot:
    """An active bot without a token."""
    return await service.add(session, channel=channel, name=f"{channel} bot", token=None, is_demo=is_demo)
