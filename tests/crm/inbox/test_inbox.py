"""Storing, taking, failing and replaying raw updates."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db.session import Sessions
from crm.inbox import service as inbox
from crm.inbox.dead_letters import updates
from crm.inbox.jobs import forget_keys
from crm.inbox.types import Finished, StoredUpdate, WaitingChat
from crm.jobs.dead import DeadLetterNotFound


async def _store(session: AsyncSession, key: str, chat: str = "7", payload: bytes = b"{}") -> StoredUpdate | None:
    return await inbox.store(session, bot_id=1, update_key=key, chat_key=chat, payload=payload)


async def test_stores_once_and_sealed(session: AsyncSession) -> None:
    stored = await _store(session, "1", payload=b"my phone is 138")
    assert stored is not None
    assert await _store(session, "1") is None
    assert await inbox.store(session, bot_id=2, update_key="1", chat_key="7", payload=b"") is not None
    raw = await session.scalar(text("SELECT payload FROM inbound_updates WHERE bot_id = 1"))
    assert b"138" not in bytes(raw)
    taken = await inbox.next_for_chat(session, 1, "7")
    assert taken is not None
    assert (taken.id, taken.payload, taken.retry_after) == (stored.id, b"my phone is 138", 0)


async def test_takes_in_order_until_nothing_waits(session: AsyncSession) -> None:
    for key in ("9", "3", "5"):
        await _store(session, key, payload=key.encode())
    await _store(session, "other", chat="8")
    seen = []
    while (taken := await inbox.next_for_chat(session, 1, "7")) is not None:
        seen.append(taken.payload)
        finished = await inbox.finish(session, taken)
        assert finished == Finished(has_waited=True, has_more=taken.payload != b"5")
        assert not (await inbox.finish(session, taken)).has_waited
    assert seen == [b"9", b"3", b"5"]


async def test_failure_waits_then_becomes_a_dead_letter_again_and_again(session: AsyncSession) -> None:
    await _store(session, "1")
    for _ in range(2):
        delays = []
        for _ in range(inbox.MAX_ATTEMPTS):
            taken = await inbox.next_for_chat(session, 1, "7")
            assert taken is not None
            delays.append(await inbox.fail(session, taken, "bad \x00 luck"))
        assert delays == [0, 1, 4, 15, None]
        assert await inbox.next_for_chat(session, 1, "7") is None
        (letter,) = await inbox.dead_letters(session)
        assert (letter.attempts, letter.reason) == (5, "bad  luck")
        assert await inbox.replay(session, letter.update_id) == WaitingChat(1, "7")


async def test_what_is_postponed_says_when(session: AsyncSession) -> None:
    await _store(session, "1")
    for _ in range(2):
        taken = await inbox.next_for_chat(session, 1, "7")
        assert taken is not None
        await inbox.fail(session, taken, "x")
    again = await inbox.next_for_chat(session, 1, "7")
    assert again is not None
    assert 0 < again.retry_after <= 1
    await _store(session, "2")
    assert await inbox.waiting(session) == []


async def test_sweeper_sees_only_what_is_overdue(session: AsyncSession) -> None:
    await _store(session, "1")
    assert await inbox.waiting(session) == [WaitingChat(1, "7")]
    assert await inbox.waiting(session, older_than=timedelta(minutes=1)) == []


async def test_one_of_a_hundred_wins(committed_sessions: Sessions) -> None:
    async def one() -> bool:
        async with committed_sessions.begin() as session:
            return await _store(session, "same") is not None

    won = await asyncio.gather(*(one() for _ in range(100)))
    assert sum(won) == 1


async def test_second_taker_waits_for_the_first(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        await _store(session, "1")

    async def handle() -> bool:
        async with committed_sessions.begin() as session:
            taken = await inbox.next_for_chat(session, 1, "7")
            if taken is None:
                return False
            await asyncio.sleep(0.05)
            return (await inbox.finish(session, taken)).has_waited

    assert sorted(await asyncio.gather(*(handle() for _ in range(5)))) == [False] * 4 + [True]


async def test_old_keys_are_forgotten(committed_sessions: Sessions) -> None:
    async with committed_sessions.begin() as session:
        await _store(session, "old")
        await _store(session, "new")
        await session.execute(
            text("UPDATE inbound_keys SET received_at = siyu_now() - interval '10 days' WHERE update_key = 'old'")
        )
    assert await forget_keys.run(committed_sessions) == 1
    assert await forget_keys.run(committed_sessions) == 0
    async with committed_sessions.begin() as session:
        assert await _store(session, "new") is None


async def test_a_dead_letter_is_shown_replayed_once_and_discarded(session: AsyncSession) -> None:
    for key in ("1", "2"):
        await _store(session, key, chat=key, payload=b'{"text": "hello"}')
        taken = await inbox.next_for_chat(session, 1, key)
        assert taken is not None
        await inbox.give_up(session, taken, "ValueError at a.py:1 in b", attempts=5)
    assert await updates.count(session) == 2
    second, first = await updates.listing(session, limit=10)
    assert (first.title, first.tries, first.reason) == ("bot 1", 5, "ValueError at a.py:1 in b")
    assert await updates.reveal(session, first.key) == '{"text": "hello"}'
    await updates.replay(session, first.key)
    await updates.discard(session, second.key)
    for letter in (first, second):
        for act in (updates.replay, updates.discard, updates.reveal):
            with pytest.raises(DeadLetterNotFound):
                await act(session, letter.key)
    with pytest.raises(DeadLetterNotFound):
        await updates.replay(session, "no uuid")
    waiting = text("SELECT chat_key FROM inbound_queue")
    assert list(await session.scalars(waiting)) == ["1"]
    assert await updates.count(session) == 0
