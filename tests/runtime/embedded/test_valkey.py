"""The embedded Valkey: its life, its taking over, and who may talk to it."""

import os
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError

from runtime.embedded.errors import EmbeddedServerError
from runtime.embedded.record import read_record
from runtime.embedded.server import EmbeddedServer
from runtime.embedded.valkey import (
    RECORD_NAME,
    find_running_valkey,
    start_valkey,
)

from .conftest import Holder, kill


async def _set(server: EmbeddedServer, key: str, value: str) -> None:
    async with Redis.from_url(server.url) as client:
        await client.set(key, value)


async def _get(server: EmbeddedServer, key: str) -> object:
    async with Redis.from_url(server.url, decode_responses=True) as client:
        return await client.get(key)


async def test_it_starts_answers_stops_and_starts_again(data_dir: Path) -> None:
    server = await start_valkey(data_dir)
    try:
        await _set(server, "tea", "龙井")
        assert find_running_valkey(data_dir) == server.running
        await server.stop()
        assert find_running_valkey(data_dir) is None
        server = await start_valkey(data_dir)
        assert await _get(server, "tea") == "龙井"
    finally:
        await server.destroy()


async def test_it_wants_its_password(data_dir: Path) -> None:
    server = await start_valkey(data_dir)
    try:
        async with Redis(port=server.port) as client:
            with pytest.raises(AuthenticationError):
                await client.get("tea")
        record = read_record(data_dir / RECORD_NAME)
        assert record is not None
        command = Path("/proc", str(server.pid), "cmdline")
        assert not command.exists() or record.password not in command.read_text()
    finally:
        await server.destroy()


async def test_a_second_start_on_the_folder_is_refused(data_dir: Path) -> None:
    server = await start_valkey(data_dir)
    try:
        with pytest.raises(EmbeddedServerError, match="already runs Valkey"):
            await start_valkey(data_dir)
    finally:
        await server.destroy()


async def test_a_server_that_outlived_its_parent_is_taken_over(data_dir: Path, holders: list[Holder]) -> None:
    holder = Holder("valkey", data_dir)
    holders.append(holder)
    holder.kill()
    server = await start_valkey(data_dir)
    try:
        assert server.pid == holder.server_pid
        await _set(server, "tea", "green")
        await server.stop()
        assert find_running_valkey(data_dir) is None
    finally:
        await server.destroy()


async def test_it_comes_back_after_a_kill(data_dir: Path) -> None:
    server = await start_valkey(data_dir)
    try:
        kill(server.pid)
        await server.stop()
        server = await start_valkey(data_dir)
        await _set(server, "tea", "green")
        assert await _get(server, "tea") == "green"
    finally:
        await server.destroy()


async def test_it_does_not_run_as_root(data_dir: Path) -> None:
    server = await start_valkey(data_dir)
    try:
        status = Path("/proc", str(server.pid))
        assert not status.exists() or status.stat().st_uid == (os.geteuid() or 65534)
    finally:
        await server.destroy()


async def test_a_lost_folder_is_made_anew(data_dir: Path) -> None:
    server = await start_valkey(data_dir)
    record = read_record(data_dir / RECORD_NAME)
    assert record is not None
    await server.destroy()
    (data_dir / RECORD_NAME).write_text(f'{{"home": "{record.home}/gone", "password": "unused", "initialised": true}}')
    server = await start_valkey(data_dir)
    try:
        await _set(server, "tea", "green")
    finally:
        await server.destroy()
