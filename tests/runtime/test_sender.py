"""The sender process: many bots side by side, a clean stop, and no bot framework."""

import asyncio
import subprocess
import sys
from collections.abc import Callable

from redis.asyncio import Redis
from sqlalchemy import text

from crm.db.session import Sessions
from crm.deliveries import service
from crm.deliveries.testing import FakeRenderer, FakeSender
from runtime.sender import run_sender
from tests.factories.deliveries import figures, launch, make_audience

_IMPORTS = "import sys, runtime.sender; print([m for m in ('aiogram', 'telegram', 'fastapi') if m in sys.modules])"


async def _until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not is_so():  # noqa: ASYNC110 - the fake is watched from outside
            await asyncio.sleep(0.01)


def test_the_sender_loads_no_bot_framework() -> None:
    done = subprocess.run([sys.executable, "-c", _IMPORTS], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


async def test_it_sends_and_stops(committed_sessions: Sessions, valkey_url: str) -> None:
    await launch(committed_sessions, 30)
    valkey, stop, sender = Redis.from_url(valkey_url), asyncio.Event(), FakeSender()
    await valkey.flushall()
    senders = {sender.name: sender}
    tasks = [
        asyncio.create_task(run_sender(committed_sessions, valkey, senders, FakeRenderer(), stop)) for _ in range(2)
    ]
    await _until(lambda: len(sender.sent) == 30)
    stop.set()
    async with asyncio.timeout(30):
        await asyncio.gather(*tasks)
    assert await figures(committed_sessions) == {"sent": 30}
    await valkey.aclose()


async def test_a_slow_bot_does_not_hold_up_another(committed_sessions: Sessions, valkey_url: str) -> None:
    async with committed_sessions.begin() as session:
        slow = await make_audience(session, 5, rate=1)
        await session.execute(text("UPDATE identities SET address = 'slow' || address"))
        fast = await make_audience(session, 5, rate=1000)
        await service.start_broadcast(session, "campaign", 1, slow.select())
        await service.start_broadcast(session, "campaign", 2, fast.select())
    valkey, stop, sender = Redis.from_url(valkey_url), asyncio.Event(), FakeSender()
    await valkey.flushall()
    task = asyncio.create_task(run_sender(committed_sessions, valkey, {sender.name: sender}, FakeRenderer(), stop))
    await _until(lambda: set(fast.addresses) <= set(sender.addresses()))
    assert len(sender.sent) < 9
    stop.set()
    await task
    await valkey.aclose()
