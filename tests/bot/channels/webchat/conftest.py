"""One running web chat per test, with real commits."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from crm.brand import service as brand
from crm.db.session import Sessions
from crm.points import service as points
from tests.bot.channels.webchat.house import ChatHouse, open_house


@pytest.fixture
async def valkey(valkey_url: str) -> AsyncIterator[Redis]:
    """A real Valkey, emptied before the test."""
    async with Redis.from_url(valkey_url) as client:
        await client.flushdb()
        yield client


@pytest.fixture
async def house(committed_sessions: Sessions, valkey: Redis) -> AsyncIterator[ChatHouse]:
    """The web chat of a brand with the shipped earning rules."""
    async with committed_sessions.begin() as session:
        await brand.change(session, name="Tea & Co", embed_origins=["https://shop.example"])
        await points.ensure_defaults(session)
    async with open_house(committed_sessions, valkey) as opened:
        yield opened
