"""Readiness by what is truly needed: red soon after the database is lost, and without hanging."""

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis
from sqlalchemy import text

from admin_api import readiness
from admin_api.app import create_app
from admin_api.deps import AdminDeps
from crm.config.settings import Settings
from crm.db.session import Sessions, Surroundings, make_engine, make_sessions
from tests.chaos.proxy import ChaosProxy, Manner
from tests.conftest import Servers
from tests.factories.recovery import enter_safe_mode


def _target(url: str) -> tuple[str, int]:
    parts = httpx.URL(url.replace("postgresql", "http").replace("redis", "http"))
    return parts.host, int(parts.port or 0)


@pytest.fixture
async def database(servers: Servers) -> AsyncIterator[ChaosProxy]:
    """What stands before PostgreSQL."""
    async with ChaosProxy(_target(servers.postgres_url)) as proxy:
        yield proxy


@pytest.fixture
async def deps(
    database: ChaosProxy, committed_sessions: Sessions, committed_url: str, surroundings: Surroundings, valkey_url: str
) -> AsyncIterator[AdminDeps]:
    """Deps whose database is behind the proxy."""
    del committed_sessions  # only for its emptying of the tables
    engine = make_engine(database.address(committed_url), pool_size=3)
    async with Redis.from_url(valkey_url) as valkey:
        yield AdminDeps(sessions=make_sessions(engine, surroundings), settings=Settings(_env_file=None), valkey=valkey)
    await database.switch(Manner.PASS)
    await engine.dispose()


async def _ready(deps: AdminDeps) -> tuple[int, dict[str, str], str]:
    own = replace(deps, metrics=CollectorRegistry())
    transport = httpx.ASGITransport(app=create_app(own))
    async with httpx.AsyncClient(transport=transport, base_url="http://siyu.test") as client:
        answer = await client.get("/readyz", timeout=60)
    return answer.status_code, answer.json()["parts"], answer.json()["status"]


@pytest.mark.parametrize("manner", [Manner.BLACKHOLE, Manner.REFUSE])
async def test_a_lost_database_is_red_without_hanging_and_green_when_it_is_back(
    deps: AdminDeps, database: ChaosProxy, manner: Manner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "PATIENCE", 0.5 if manner is Manner.BLACKHOLE else 30)
    assert (await _ready(deps))[0] == 200
    await database.switch(manner)
    status, parts, verdict = await _ready(deps)
    assert (status, verdict) == (503, "unready")
    assert parts["database"].startswith("cannot be used: ")
    await database.switch(Manner.PASS)
    monkeypatch.setattr(readiness, "PATIENCE", 30)
    assert (await _ready(deps))[0] == 200


def test_patience_leaves_room_for_five_seconds() -> None:
    assert readiness.PATIENCE < 5


async def test_without_valkey_it_is_degraded_but_ready(deps: AdminDeps) -> None:
    async with Redis.from_url("redis://127.0.0.1:1", socket_connect_timeout=2) as nowhere:
        status, parts, verdict = await _ready(replace(deps, valkey=nowhere))
    assert (status, verdict) == (200, "degraded")
    assert parts["valkey"] != "ok"
    assert parts["database"] == parts["migrations"] == "ok"


async def test_work_that_waits_is_told_and_stops_no_requests(deps: AdminDeps) -> None:
    async with deps.sessions.begin() as session:
        await session.execute(
            text(
                "INSERT INTO inbound_queue (update_id, received_at, bot_id, chat_key, due_at)"
                " VALUES (gen_random_uuid(), now(), 1, 'chat', now() - interval '1 hour')"
            )
        )
    status, parts, verdict = await _ready(deps)
    assert (status, verdict) == (200, "degraded")
    assert parts["inbox"].startswith("the oldest update has waited 36")
    assert parts["safe_mode"] == "off"


async def test_the_safe_mode_is_told_and_ready(deps: AdminDeps) -> None:
    async with deps.sessions.begin() as session:
        await enter_safe_mode(session)
    status, parts, verdict = await _ready(deps)
    assert (status, verdict) == (200, "ready")
    assert parts["safe_mode"].startswith("on since 20")


async def test_another_schema_is_not_ready(deps: AdminDeps, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "HEAD", "r9999")
    status, parts, _ = await _ready(deps)
    assert status == 503
    assert parts["migrations"].endswith("this version needs r9999: run siyu migrate")
