"""The embedded PostgreSQL: its life, its death by kill -9, and who may touch it."""

import os
import pwd
import stat
import tempfile
from pathlib import Path

import asyncpg
import pytest

from runtime.embedded.errors import EmbeddedServerError
from runtime.embedded.postgres import (
    RECORD_NAME,
    find_running_postgres,
    start_postgres,
)
from runtime.embedded.privileges import Account, check_home
from runtime.embedded.record import read_record
from runtime.embedded.server import EmbeddedServer

from .conftest import Holder, kill, start_light


async def _run(server: EmbeddedServer, sql: str) -> None:
    connection = await asyncpg.connect(server.url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


async def _value(server: EmbeddedServer, sql: str) -> object:
    connection = await asyncpg.connect(server.url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def test_data_is_there_after_a_stop_and_a_start(data_dir: Path) -> None:
    server = await start_light(data_dir)
    try:
        await _run(server, "CREATE TABLE kept AS SELECT 7 AS number")
        await server.stop()
        assert find_running_postgres(data_dir) is None
        server = await start_light(data_dir)
        assert await _value(server, "SELECT number FROM kept") == 7
    finally:
        await server.destroy()


async def test_chinese_is_searchable_by_trigrams(data_dir: Path) -> None:
    server = await start_light(data_dir)
    try:
        await _run(server, "CREATE EXTENSION pg_trgm")
        assert await _value(server, "SELECT cardinality(show_trgm('茶馆老板'))") == 5
    finally:
        await server.destroy()


async def test_no_committed_row_is_lost_by_killing_the_server(data_dir: Path) -> None:
    server = await start_light(data_dir)
    try:
        await _run(server, "CREATE TABLE kept (number int)")
        connection = await asyncpg.connect(server.url)
        for number in range(50):
            await connection.execute("INSERT INTO kept VALUES ($1)", number)
        kill(server.pid)
        await server.stop()
        server = await start_light(data_dir)
        assert await _value(server, "SELECT count(*) FROM kept") == 50
        connection.terminate()
    finally:
        await server.destroy()


async def test_a_killed_start_leaves_nothing_that_looks_complete(data_dir: Path) -> None:
    server = await start_light(data_dir)
    await server.destroy()
    unfinished = data_dir / "postgres.unfinished"
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18\n")
    server = await start_light(data_dir)
    try:
        assert await _value(server, "SELECT current_user") == "siyu_owner"
    finally:
        await server.destroy()


async def test_a_second_start_on_the_folder_is_refused(data_dir: Path) -> None:
    server = await start_light(data_dir)
    try:
        with pytest.raises(EmbeddedServerError, match=f"process {os.getpid()}.*SIYU_DATA_DIR"):
            await start_light(data_dir)
        assert await _value(server, "SELECT 1") == 1
        assert find_running_postgres(data_dir) == server.running
    finally:
        await server.destroy()


async def test_a_server_that_outlived_its_parent_is_taken_over(data_dir: Path, holders: list[Holder]) -> None:
    holder = Holder("postgres", data_dir)
    holders.append(holder)
    with pytest.raises(EmbeddedServerError, match="already runs PostgreSQL"):
        await start_light(data_dir)
    holder.kill()
    server = await start_light(data_dir)
    try:
        assert server.pid == holder.server_pid
        assert await _value(server, "SELECT 1") == 1
        await server.stop()
        assert find_running_postgres(data_dir) is None
    finally:
        await server.destroy()


async def test_other_settings_restart_a_server_that_was_left(data_dir: Path, holders: list[Holder]) -> None:
    holder = Holder("postgres", data_dir)
    holders.append(holder)
    holder.kill()
    server = await start_postgres(data_dir, settings={"max_connections": "33"})
    try:
        assert server.pid != holder.server_pid
        assert await _value(server, "SHOW max_connections") == "33"
    finally:
        await server.destroy()


async def test_a_stale_number_that_now_belongs_to_another_process_is_no_obstacle(
    data_dir: Path,
) -> None:
    server = await start_light(data_dir)
    try:
        record = read_record(data_dir / RECORD_NAME)
        assert record is not None
        pid_file = Path(record.home) / "postgres" / "postmaster.pid"
        lines = pid_file.read_text().splitlines()
        kill(server.pid)
        await server.stop()
        pid_file.write_text("\n".join([str(os.getpid()), *lines[1:], ""]))
        server = await start_light(data_dir)
        assert await _value(server, "SELECT 1") == 1
    finally:
        await server.destroy()


async def test_passwords_are_private_and_needed(data_dir: Path) -> None:
    server = await start_light(data_dir)
    try:
        for path in data_dir.iterdir():
            if path.is_file():
                assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        record = read_record(data_dir / RECORD_NAME)
        assert record is not None
        assert stat.S_IMODE((Path(record.home) / "postgres").stat().st_mode) == 0o700
        command = Path("/proc", str(server.pid), "cmdline")
        assert not command.exists() or record.password not in command.read_text()
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(server.url.replace(record.password, "guess"))
    finally:
        await server.destroy()


async def test_siyu_s_role_is_no_superuser(data_dir: Path) -> None:
    server = await start_light(data_dir)
    try:
        assert await _value(server, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
    finally:
        await server.destroy()


async def test_root_hands_the_server_to_an_unprivileged_account(data_dir: Path) -> None:
    is_root = os.geteuid() == 0
    owner = pwd.getpwnam("nobody").pw_uid if is_root else os.geteuid()
    server = await start_light(data_dir)
    record = read_record(data_dir / RECORD_NAME)
    assert record is not None
    home = Path(record.home)
    try:
        assert home.is_relative_to(data_dir) is not is_root
        assert {path.lstat().st_uid for path in (home / "postgres").rglob("*")} == {owner}
        assert home.stat().st_uid == owner
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
        assert stat.S_IMODE(data_dir.parent.stat().st_mode) == 0o700
    finally:
        await server.destroy()
    assert not (home / "postgres").exists()


async def test_a_recorded_folder_of_another_account_is_not_trusted(data_dir: Path) -> None:
    home = Path(tempfile.mkdtemp())
    record = data_dir / RECORD_NAME
    other = Account("other", os.geteuid() + 1, os.getegid())
    try:
        with pytest.raises(EmbeddedServerError, match="not a private folder of other"):
            check_home(home, other, data_dir, record)
        home.chmod(0o755)
        with pytest.raises(EmbeddedServerError, match="not trusted"):
            check_home(home, other, data_dir, record)
    finally:
        home.rmdir()
    with pytest.raises(EmbeddedServerError, match="no longer exists"):
        check_home(home, other, data_dir, record)


async def test_a_lost_cluster_is_reported_and_not_replaced(data_dir: Path) -> None:
    server = await start_light(data_dir)
    await server.stop()
    record = read_record(data_dir / RECORD_NAME)
    assert record is not None
    cluster = Path(record.home) / "postgres"
    away = cluster.rename(cluster.with_name("away"))
    with pytest.raises(EmbeddedServerError, match=r"is gone.*Restore"):
        await start_light(data_dir)
    away.rename(cluster)
    server = await start_light(data_dir)
    await server.destroy()


async def test_a_damaged_record_is_reported(data_dir: Path) -> None:
    data_dir.mkdir()
    (data_dir / RECORD_NAME).write_text('{"home": 3')
    with pytest.raises(EmbeddedServerError, match="damaged"):
        await start_light(data_dir)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("x" * 250 + "/" + "y" * 250 + "/" + "z" * 250 + "/" + "w" * 200, "too long"),
        ('a"b', "quote"),
        ("a$HOME", "dollar"),
        ("a\nb", "control character"),
    ],
)
async def test_a_path_that_postgres_cannot_handle_is_refused(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(EmbeddedServerError, match=message):
        await start_postgres(tmp_path / name)


@pytest.mark.parametrize("name", ["listen_addresses", "port", "hba_file", "a b", "x;y", ""])
async def test_a_setting_that_opens_the_server_is_refused(data_dir: Path, name: str) -> None:
    with pytest.raises(EmbeddedServerError, match="cannot be set"):
        await start_postgres(data_dir, settings={name: "0.0.0.0"})
    assert not data_dir.exists()


async def test_a_server_that_cannot_start_says_what_its_log_says(data_dir: Path) -> None:
    with pytest.raises(EmbeddedServerError, match="no_such_setting"):
        await start_postgres(data_dir, settings={"no_such_setting": "1"})
    server = await start_light(data_dir)
    await server.destroy()
