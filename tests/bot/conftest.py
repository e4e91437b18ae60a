"""Fixtures of the inbound path."""

from collections.abc import AsyncIterator

import pytest

from tests.bot.loop import House


@pytest.fixture(autouse=True)
async def _close_houses() -> AsyncIterator[None]:
    yield
    await House.close_all()
