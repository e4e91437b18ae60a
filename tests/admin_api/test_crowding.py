"""More requests than connections: a short wait, then 503 with Retry-After; nothing is stuck, nobody else is starved."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from admin_api.app import create_app
from admin_api.deps import AdminDeps
from crm.db.session import Sessions, Surroundings, make_engine, make_sessions
from tests.admin_api.conftest import Site
from tests.factories.operators import make_api_key

POOL = 5
REQUESTS = 200
PATIENCE = 120


@pytest.fixture
async def engine(committed_url: str) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(committed_url, pool_size=POOL)
    yield engine
    await engine.dispose()


@pytest.fixture
def crowded(deps: AdminDeps, engine: AsyncEngine, surroundings: Surroundings, committed_sessions: Sessions) -> Site:
    assert committed_sessions.kw["bind"] is not engine
    own = replace(deps, sessions=make_sessions(engine, surroundings))
    own = replace(own, limits=replace(own.limits, key_burst=10 * REQUESTS))
    return Site(create_app(own), own)


async def test_two_hundred_requests_over_five_connections_that_are_all_held(
    crowded: Site, engine: AsyncEngine, committed_sessions: Sessions
) -> None:
    client = await crowded.api()
    async with AsyncExitStack() as held:
        for _ in range(POOL):
            await held.enter_async_context(engine.connect())
        async with asyncio.timeout(PATIENCE):
            answers = await asyncio.gather(*(client.get("/api/v1/tags") for _ in range(REQUESTS)))
        # Conversations have a pool of their own: they go on while this one is exhausted.
        async with committed_sessions.begin() as session:
            assert await session.scalar(text("SELECT 1")) == 1
    assert Counter(answer.status_code for answer in answers) == {503: REQUESTS}
    for answer in answers:
        assert int(answer.headers["retry-after"]) >= 1
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "unavailable"
    assert (await client.get("/api/v1/tags")).status_code == 200


async def test_two_hundred_requests_over_five_connections_are_all_answered(crowded: Site, engine: AsyncEngine) -> None:
    client = await crowded.api()
    async with asyncio.timeout(PATIENCE):
        answers = await asyncio.gather(
            *(client.post("/api/v1/tags", json={"tag": f"tag {number}"}) for number in range(REQUESTS))
        )
    states = Counter(answer.status_code for answer in answers)
    assert set(states) <= {201, 503}
    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined] # the queue of connections that is always used
    listed = (await client.get("/api/v1/tags?limit=200")).json()["items"]
    assert len(listed) == states[201]  # what was answered 503 left nothing behind


async def test_a_locked_row_does_not_lock_up_the_rest(crowded: Site, committed_sessions: Sessions) -> None:
    async with crowded.deps.sessions.begin() as session:
        secret = await make_api_key(session, "brand:write", "brand:read")
    client = crowded.client(Authorization=f"Bearer {secret}")
    async with committed_sessions.begin() as session:
        await session.execute(text("LOCK TABLE tags IN ACCESS EXCLUSIVE MODE"))
        assert (await client.get("/api/v1/brand")).status_code == 200
