"""Updates are stored before they are acknowledged, together where they come together, and a lost database is told."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from bot import intake
from bot.intake import Intake
from crm.bots.types import Bot
from crm.db.away import is_away
from crm.db.session import Sessions, Surroundings, make_engine, make_sessions
from tests.bot.loop import House, make_loop_bot, update
from tests.chaos.proxy import ChaosProxy, Manner
from tests.runtime.test_readiness import _target

TOGETHER = 20


@pytest.fixture
async def proxy(committed_url: str) -> AsyncIterator[ChaosProxy]:
    """What stands before PostgreSQL."""
    async with ChaosProxy(_target(committed_url)) as standing:
        yield standing


@pytest.fixture
async def behind(
    proxy: ChaosProxy, committed_sessions: Sessions, committed_url: str, surroundings: Surroundings
) -> AsyncIterator[Sessions]:
    """Sessions whose connections pass the proxy."""
    del committed_sessions  # only for its emptying of the tables
    engine = make_engine(proxy.address(committed_url), pool_size=3)
    yield make_sessions(engine, surroundings)
    await proxy.switch(Manner.PASS)
    await engine.dispose()


def _hand(sessions: Sessions) -> Intake:
    """An intake beside which nothing is handled."""
    house = House(sessions)
    house.dispatcher.stop()
    return house.intake


async def _take(hand: Intake, bot: Bot, number: int) -> bool:
    payload = update(str(number), "/pay tea")
    return await hand(bot_id=bot.id, update_key=str(number), chat_key=str(number), payload=payload)


async def _stored(sessions: Sessions) -> int:
    async with sessions() as session:
        return int(await session.scalar(text("SELECT count(*) FROM inbound_updates")) or 0)


@pytest.mark.parametrize("manner", [Manner.BLACKHOLE, Manner.REFUSE])
async def test_all_that_wait_are_told_at_once_and_later_ones_are_stored(
    behind: Sessions, proxy: ChaosProxy, manner: Manner, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = await make_loop_bot(behind)
    hand = _hand(behind)
    assert await _take(hand, bot, 0)
    monkeypatch.setattr(intake, "_PATIENCE", 0.5 if manner is Manner.BLACKHOLE else 30)
    await proxy.switch(manner)
    tries = [asyncio.create_task(_take(hand, bot, number)) for number in range(1, TOGETHER)]
    told = await asyncio.gather(*tries, return_exceptions=True)
    assert all(isinstance(error, Exception) and is_away(error) for error in told), told
    monkeypatch.undo()
    await proxy.switch(Manner.PASS)
    assert await _stored(behind) == 1
    again = await asyncio.gather(*(_take(hand, bot, number) for number in range(TOGETHER)))
    assert again == [False, *[True] * (TOGETHER - 1)]
    assert await _stored(behind) == TOGETHER


async def test_what_nobody_waits_for_any_more_is_not_stored(behind: Sessions, proxy: ChaosProxy) -> None:
    bot = await make_loop_bot(behind)
    hand = _hand(behind)
    await proxy.switch(Manner.BLACKHOLE)
    first = asyncio.create_task(_take(hand, bot, 0))
    await asyncio.sleep(0)
    second = asyncio.create_task(_take(hand, bot, 1))
    await asyncio.sleep(0)
    second.cancel()
    await proxy.switch(Manner.PASS)
    assert await first
    assert await _take(hand, bot, 2)
    assert await _stored(behind) == 2
