"""What the doctor sees of PostgreSQL and Valkey."""

from datetime import timedelta

import asyncpg
import pytest
from redis.asyncio import Redis

from crm.config.settings import DatabaseSettings, Settings
from crm.kit import clock
from runtime.doctor import database, valkey
from runtime.doctor.findings import Finding
from tests.conftest import Servers

SETTINGS = Settings(_env_file=None)


async def _look(url: str, settings: Settings = SETTINGS) -> dict[str, Finding]:
    return {item.name: item for item in await database.look(settings, url)}


async def test_a_sound_database(committed_url: str) -> None:
    assert {name: item.problem for name, item in (await _look(committed_url)).items()} == dict.fromkeys(
        ("database", "rights", "schema", "clock", "connections")
    )


async def test_an_old_server(committed_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_OLDEST", 10**7)
    assert "upgrade the server" in ((await _look(committed_url))["database"].problem or "")


async def test_another_schema(servers: Servers, committed_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = (await _look(servers.postgres_url))["schema"]
    assert "at None" in (empty.problem or "")
    monkeypatch.setattr(database, "HEAD", "r9999")
    assert "needs r9999: run siyu migrate" in ((await _look(committed_url))["schema"].problem or "")


async def test_a_role_without_rights(servers: Servers, committed_url: str) -> None:
    admin = await asyncpg.connect(servers.postgres_url)
    name = committed_url.rpartition("/")[2]
    owner = await asyncpg.connect(committed_url)
    try:
        await owner.execute("CREATE SCHEMA of_others; CREATE TABLE of_others.kept (id int)")
        foreign = f"{committed_url}?search_path=missing_schema"
        found = (await _look(foreign))["rights"]
        assert f"make it the owner of {name}" in (found.problem or "")
    finally:
        await owner.execute("DROP SCHEMA of_others CASCADE")
        await owner.close()
        await admin.close()


async def test_clocks_apart(committed_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = clock.process_now
    monkeypatch.setattr(database, "process_now", lambda: real() + timedelta(minutes=10))
    found = (await _look(committed_url))["clock"]
    assert "let both follow a time server" in (found.problem or "")
    assert found.is_fatal is False


async def test_pools_above_what_the_server_gives(committed_url: str) -> None:
    many = SETTINGS.model_copy(
        update={"database": DatabaseSettings(url=None, pool_size=200, interactive_pool_size=200)}
    )
    found = (await _look(committed_url, many))["connections"]
    assert "raise max_connections" in (found.problem or "")
    assert found.is_fatal is False


async def test_a_valkey_that_throws_away(valkey_url: str) -> None:
    assert [item.problem for item in await valkey.look(valkey_url)] == [None, None]
    async with Redis.from_url(valkey_url) as client:
        before = await client.config_get("maxmemory*")
        try:
            await client.config_set("maxmemory", "100mb")
            await client.config_set("maxmemory-policy", "allkeys-lru")
            found = await valkey.look(valkey_url)
        finally:
            for key in ("maxmemory", "maxmemory-policy"):
                await client.config_set(key, str(before[key]))
    assert "allkeys-lru" in (found[1].problem or "")
    assert found[1].is_fatal is False


async def test_no_valkey() -> None:
    (found,) = await valkey.look("redis://127.0.0.1:9")
    assert "SIYU_VALKEY_URL" in (found.problem or "")
    assert found.is_fatal is True
