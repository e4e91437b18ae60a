"""A connection that died while it rested is noticed before somebody works with it."""

import socket

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from crm.db import pools
from crm.db.session import make_engine

PID = text("SELECT pg_backend_pid()")


@pytest.mark.parametrize(("trusted", "is_noticed"), [(0.0, True), (3600.0, False)])
async def test_rested_connections_are_asked(
    committed_url: str, monkeypatch: pytest.MonkeyPatch, trusted: float, is_noticed: bool
) -> None:
    monkeypatch.setattr(pools, "TRUSTED_SECONDS", trusted)
    engine = make_engine(committed_url, pool_size=1)
    async with engine.connect() as connection:
        first = (await connection.execute(PID)).scalar_one()
    killer = await asyncpg.connect(committed_url)
    assert await killer.fetchval("SELECT pg_terminate_backend($1, 30000)", first)
    await killer.close()
    if not is_noticed:
        with pytest.raises(DBAPIError):
            async with engine.connect() as connection:
                await connection.execute(PID)
    async with engine.connect() as connection:
        assert (await connection.execute(PID)).scalar_one() != first
    await engine.dispose()


async def test_either_end_asks_a_silent_other_one(committed_url: str) -> None:
    engine = make_engine(committed_url, pool_size=1)
    async with engine.connect() as connection:
        for name, value in pools.KEEPALIVE.items():
            shown = await connection.execute(text(f"SHOW tcp_keepalives_{name}"))
            assert shown.scalar_one() == str(value)
        driver = (await connection.get_raw_connection()).driver_connection
        assert driver is not None
        own = driver._transport.get_extra_info("socket")
        assert own.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    await engine.dispose()
