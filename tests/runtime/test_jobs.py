"""Queued jobs: five tries, held, replayed once; taken over from the dead; given back in order; ticks in numbers."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest
from sqlalchemy import text

from crm.db.session import Sessions
from crm.jobs.dead import DeadLetterNotFound, replay_all
from crm.jobs.dead_letters import jobs as held
from crm.jobs.service import enqueue
from crm.jobs.types import Job, Tick
from runtime import ticks
from runtime.jobs import run_jobs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PATIENCE = 120
SECRET = "张三 13800138000"
NOW = (timedelta(),)
Check = Callable[[], Awaitable[bool]]


async def _until(check: Check) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await check():  # noqa: ASYNC110 - what is waited for happens in the database
            await asyncio.sleep(0.05)


@pytest.fixture
async def pool(committed_url: str) -> "AsyncIterator[asyncpg.Pool]":
    """Connections to an empty queue: what tests of other rooms queued would never be worked on here."""
    async with asyncpg.create_pool(committed_url, min_size=1, max_size=6) as opened:
        await opened.execute("DELETE FROM pgqueuer.pgqueuer")
        yield opened
        await opened.execute("DELETE FROM pgqueuer.pgqueuer")


@asynccontextmanager
async def _worker(
    pool: asyncpg.Pool, sessions: Sessions, job: Job, patience: float = 5.0
) -> "AsyncIterator[asyncio.Event]":
    stop = asyncio.Event()
    task = asyncio.create_task(run_jobs(pool, sessions, {job.name: job}, stop, patience=patience, backoff=NOW))
    try:
        yield stop
    finally:
        stop.set()
        async with asyncio.timeout(PATIENCE):
            await task


async def _enqueue(sessions: Sessions, name: str, number: int = 1) -> None:
    async with sessions.begin() as session:
        for item in range(number):
            await enqueue(session, name, {"number": item, "note": SECRET})


async def test_held_after_five_tries_replayed_with_one_effect(pool: asyncpg.Pool, committed_sessions: Sessions) -> None:
    tries: list[Mapping[str, Any]] = []
    is_broken = True

    async def run(_: Sessions, arguments: Mapping[str, Any]) -> None:
        tries.append(arguments)
        if is_broken:
            raise ValueError(SECRET)

    async def is_held() -> bool:
        async with committed_sessions() as session:
            return await held.count(session) == 1

    await _enqueue(committed_sessions, "test.broken")
    async with _worker(pool, committed_sessions, Job("test.broken", run)):
        await _until(is_held)
    assert len(tries) == 5
    async with committed_sessions.begin() as session:
        (letter,) = await held.listing(session, limit=10)
        assert (letter.title, letter.tries) == ("test.broken", 5)
        assert letter.reason.startswith("ValueError at runtime/test_jobs.py:")
        assert SECRET in await held.reveal(session, letter.key)
        kept = await session.scalar(text("SELECT string_agg(traceback::text, '') FROM pgqueuer.pgqueuer_log"))
        assert SECRET not in kept
        assert await replay_all(session, held) == 1
        with pytest.raises(DeadLetterNotFound):
            await held.replay(session, letter.key)
    is_broken = False

    async def is_done() -> bool:
        return int(await pool.fetchval("SELECT count(*) FROM pgqueuer.pgqueuer")) == 0

    async with _worker(pool, committed_sessions, Job("test.broken", run)):
        await _until(is_done)
    assert len(tries) == 6


async def test_discarded_jobs_are_gone_and_unknown_ones_refused(
    pool: asyncpg.Pool, committed_sessions: Sessions
) -> None:
    await _enqueue(committed_sessions, "test.never")
    await pool.execute("UPDATE pgqueuer.pgqueuer SET status = 'failed'")
    async with committed_sessions.begin() as session:
        (letter,) = await held.listing(session, limit=10)
        await held.discard(session, letter.key)
        for key in (letter.key, "", "x", "9" * 40, "-1"):
            with pytest.raises(DeadLetterNotFound):
                await held.discard(session, key)
        assert await held.count(session) == 0


async def test_a_stopped_worker_gives_a_long_job_back(pool: asyncpg.Pool, committed_sessions: Sessions) -> None:
    begun, done = asyncio.Event(), asyncio.Event()
    is_long = True

    async def run(_: Sessions, __: Mapping[str, Any]) -> None:
        begun.set()
        if is_long:
            await asyncio.Event().wait()
        done.set()

    await _enqueue(committed_sessions, "test.long")
    async with _worker(pool, committed_sessions, Job("test.long", run), patience=0.1):
        await asyncio.wait_for(begun.wait(), PATIENCE)
    assert not done.is_set()
    states = await pool.fetch("SELECT status::text, queue_manager_id FROM pgqueuer.pgqueuer")
    assert [tuple(row) for row in states] == [("queued", None)]
    is_long = False
    async with _worker(pool, committed_sessions, Job("test.long", run)):
        await asyncio.wait_for(done.wait(), PATIENCE)


KILLED = """
import asyncio, sys
import asyncpg
from crm.jobs.types import Job
from runtime.jobs import run_jobs

async def run(sessions, arguments):
    print("begun", flush=True)
    await asyncio.Event().wait()

async def main():
    async with asyncpg.create_pool(sys.argv[1], min_size=1, max_size=4) as pool:
        await run_jobs(pool, None, {"test.killed": Job("test.killed", run)}, asyncio.Event())

asyncio.run(main())
"""


async def test_what_a_killed_worker_held_is_taken_over(
    pool: asyncpg.Pool, committed_url: str, committed_sessions: Sessions
) -> None:
    done: list[int] = []

    async def run(_: Sessions, arguments: Mapping[str, Any]) -> None:
        done.append(arguments["number"])

    await _enqueue(committed_sessions, "test.killed")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, committed_url, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), PATIENCE) == b"begun\n"
    os.kill(process.pid, signal.SIGKILL)
    await process.wait()
    async with _worker(pool, committed_sessions, Job("test.killed", run)):

        async def is_done() -> bool:
            return int(await pool.fetchval("SELECT count(*) FROM pgqueuer.pgqueuer")) == 0

        await _until(is_done)
    assert done == [0]


async def test_five_schedulers_do_each_due_thing_once(committed_sessions: Sessions) -> None:
    """The pattern of every tick: claim by SKIP LOCKED, effect, and removal in one transaction."""
    async with committed_sessions.begin() as session:
        await session.execute(text("CREATE TABLE due_things AS SELECT generate_series(1, 200) AS id"))
        await session.execute(text("CREATE TABLE done_things (id int, by_tick int)"))
    claim = text(
        "WITH due AS (SELECT id FROM due_things LIMIT 7 FOR UPDATE SKIP LOCKED),"
        " gone AS (DELETE FROM due_things USING due WHERE due_things.id = due.id RETURNING due_things.id)"
        " INSERT INTO done_things (id) SELECT id FROM gone RETURNING id"
    )

    async def run(sessions: Sessions) -> int:
        async with sessions.begin() as session:
            return len((await session.execute(claim)).all())

    async def is_done() -> bool:
        async with committed_sessions() as session:
            return int((await session.execute(text("SELECT count(*) FROM done_things"))).scalar_one()) == 200

    stop = asyncio.Event()
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(5):
                group.create_task(ticks.run_ticks(committed_sessions, [Tick("test.due", 0.05, run)], stop))
            await _until(is_done)
            stop.set()
        async with committed_sessions() as session:
            assert (await session.scalar(text("SELECT count(DISTINCT id) FROM done_things"))) == 200
    finally:
        async with committed_sessions.begin() as session:
            await session.execute(text("DROP TABLE due_things, done_things"))
