"""Hand-offs that were given up: told without texts, replayed once, discarded."""

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from crm.db.session import Sessions, Surroundings
from crm.events import relay, service
from crm.events.catalogue import TagAdded
from crm.events.dead_letters import handoffs
from crm.events.subscriptions import PORT, Subscriptions, subscriber
from crm.events.types import RecordedEvent
from crm.jobs.dead import DeadLetterNotFound
from crm.kit.crypto import Vault

SECRET = "张三 13800138000"


class Shop:
    is_broken = True


@subscriber("test.shop", TagAdded)
async def effect(session: AsyncSession, event: RecordedEvent) -> None:
    if Shop.is_broken:
        raise ValueError(SECRET)
    await session.execute(text("SELECT set_config('test.effects', current_setting('test.effects') || 'x', false)"))


@pytest.fixture
def listening(sessions: Sessions, vault: Vault) -> Sessions:
    Shop.is_broken = True
    info = {"siyu": Surroundings(vault, {PORT: Subscriptions([effect])})}
    return async_sessionmaker(
        sessions.kw["bind"], join_transaction_mode="create_savepoint", expire_on_commit=False, info=info
    )


async def _give_up(listening: Sessions) -> None:
    async with listening.begin() as session:
        await session.execute(text("SELECT set_config('test.effects', '', false)"))
        await service.publish(session, TagAdded(member_id=7, tag="tea", source="test"))
    for _ in range(relay.MAX_ATTEMPTS):
        await relay.relay_all(listening)
        async with listening.begin() as session:
            await session.execute(text("UPDATE event_handoffs SET due_at = siyu_now() WHERE NOT is_dead"))


async def _effects(listening: Sessions) -> int:
    async with listening() as session:
        return len((await session.execute(text("SELECT current_setting('test.effects')"))).scalar_one())


async def test_given_up_after_five_tries_and_told_without_the_errors_text(listening: Sessions) -> None:
    await _give_up(listening)
    assert await relay.relay_all(listening) == 0
    async with listening() as session:
        assert await handoffs.count(session) == 1
        (letter,) = await handoffs.listing(session, limit=10)
        assert (letter.title, letter.tries) == ("tag_added → test.shop", 5)
        assert letter.reason.startswith("ValueError at events/test_dead_letters.py:")
        assert SECRET not in str(letter)
        assert letter.died_at >= letter.since
        assert '"tag": "tea"' in await handoffs.reveal(session, letter.key)


async def test_replayed_it_has_its_effect_once(listening: Sessions) -> None:
    await _give_up(listening)
    Shop.is_broken = False
    async with listening.begin() as session:
        (letter,) = await handoffs.listing(session, limit=10)
        await handoffs.replay(session, letter.key)
        with pytest.raises(DeadLetterNotFound):
            await handoffs.replay(session, letter.key)
    await relay.relay_all(listening)
    await relay.relay_all(listening)
    assert await _effects(listening) == 1
    async with listening() as session:
        assert await handoffs.count(session) == 0


async def test_discarded_it_never_comes_back(listening: Sessions) -> None:
    await _give_up(listening)
    Shop.is_broken = False
    async with listening.begin() as session:
        (letter,) = await handoffs.listing(session, limit=10)
        await handoffs.discard(session, letter.key)
    await relay.relay_all(listening)
    assert await _effects(listening) == 0
    async with listening() as session:
        assert await handoffs.listing(session, limit=10) == []


@pytest.mark.parametrize("key", ["", "x", ".", "7.test.shop", "00000000-0000-0000-0000-000000000000.test.shop"])
async def test_unknown_keys_are_refused(session: AsyncSession, key: str) -> None:
    for act in (handoffs.replay, handoffs.discard, handoffs.reveal):
        with pytest.raises(DeadLetterNotFound):
            await act(session, key)
