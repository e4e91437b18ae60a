"""kill -9 of inbound workers under load: every acknowledged update takes effect once, conversations go on."""

import asyncio
import signal
import sys
from asyncio.subprocess import Process
from collections import Counter

from sqlalchemy import text

from crm.db.session import Sessions
from crm.inbox import service as inbox
from tests.bot.loop import make_loop_bot, update

CHATS, ROUNDS, KILLS = 8, 5, 3


async def _worker(url: str) -> Process:
    return await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.bot.worker", url)


async def _left(sessions: Sessions) -> int:
    async with sessions() as session:
        return int(await session.scalar(text("SELECT count(*) FROM inbound_queue")) or 0)


async def _store_all(sessions: Sessions) -> None:
    """In each chat an order is begun, paid for in between, and answered; thrice the same update each time."""
    bot = await make_loop_bot(sessions)
    words = ["/order", *(f"/pay {number}" for number in range(ROUNDS)), "Li"]
    async with sessions.begin() as session:
        for number, said in enumerate(words):
            for chat in range(CHATS):
                for _ in range(3):
                    values = {"update_key": f"{chat}:{number}", "chat_key": str(chat)}
                    payload = update(str(chat), said)
                    await inbox.store(session, bot_id=bot.id, payload=payload, **values)


async def test_nothing_is_lost_or_doubled(committed_sessions: Sessions, committed_url: str) -> None:
    await _store_all(committed_sessions)
    workers = [await _worker(committed_url) for _ in range(2)]
    for number in range(KILLS):
        before = await _left(committed_sessions)
        for _ in range(500):
            if await _left(committed_sessions) < before - 5 or before == 0:
                break
            await asyncio.sleep(0.02)
        victim = workers[number % 2]
        victim.send_signal(signal.SIGKILL)
        assert await victim.wait() == -signal.SIGKILL
        workers[number % 2] = await _worker(committed_url)
    for _ in range(1500):
        if await _left(committed_sessions) == 0:
            break
        await asyncio.sleep(0.02)
    for worker in workers:
        worker.kill()
        await worker.wait()
    async with committed_sessions() as session:
        assert await inbox.dead_letters(session) == []
        query = "SELECT data->'properties'->>'what' FROM events WHERE kind = 'custom'"
        counts = Counter((await session.scalars(text(query))).all())
        open_questions = await session.scalars(text("SELECT runs->0->'question'->>'path' FROM conversations"))
        assert set(open_questions) == {"ask:order/cup#1"}
    expected = {"tea": CHATS, "Li": CHATS, **{str(number): CHATS for number in range(ROUNDS)}}
    assert counts == expected
    assert await _left(committed_sessions) == 0
