"""What the doctor sees without any server."""

import shutil
from collections import namedtuple
from pathlib import Path

import pytest
from pydantic import HttpUrl, SecretStr

from crm.config.settings import (
    DataSettings,
    PublicSettings,
    SecretSettings,
    Settings,
    TelegramMode,
    TelegramSettings,
)
from runtime.commands import doctor
from runtime.doctor import machine
from tests.conftest import Servers

GOOD = "Zk3vQ9xT7mB2nL5cR8wY1pD4sF6gH0jA"
Usage = namedtuple("Usage", "total used free")  # noqa: PYI024 - what shutil answers


def _settings(folder: Path, *, key: str | None = GOOD, url: str | None = None, webhook: bool = False) -> Settings:
    mode = TelegramMode.WEBHOOK if webhook else TelegramMode.POLLING
    return Settings(
        _env_file=None,
        data=DataSettings(dir=folder),
        secret=SecretSettings(key=None if key is None else SecretStr(key), older_keys=None),
        public=PublicSettings(url=None if url is None else HttpUrl(url)),
        telegram=TelegramSettings(bot_token=None, api_base=None, mode=mode),
    )


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (GOOD, None),
        (None, None),
        ("short", "32 characters or more"),
        ("a" * 40, "too simple"),
        ("abcabcabc" * 5, "too simple"),
    ],
)
def test_the_secret(tmp_path: Path, key: str | None, expected: str | None) -> None:
    found = machine.secret(_settings(tmp_path, key=key))
    assert (found.problem is None) == (expected is None)
    assert expected is None or expected in (found.problem or "")
    assert key is None or key not in (found.problem or "")


def test_a_secret_that_cannot_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    assert "none can be kept" in (machine.secret(_settings(tmp_path / "new", key=None)).problem or "")


@pytest.mark.parametrize(
    ("free", "is_fine", "is_fatal"), [(50 * 2**30, True, True), (500 * 2**20, False, False), (2**20, False, True)]
)
def test_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, is_fine: bool, is_fatal: bool) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(100 * 2**30, 0, free))
    found = machine.disk(_settings(tmp_path / "not there yet"))
    assert (found.problem is None) is is_fine
    assert is_fine or found.is_fatal is is_fatal


@pytest.mark.parametrize(
    ("url", "webhook", "expected", "is_fatal"),
    [
        (None, False, None, True),
        ("https://siyu.example", True, None, True),
        (None, True, "not set", True),
        ("http://siyu.example", True, "not https", True),
        ("http://siyu.example", False, "not https", False),
    ],
)
def test_the_public_address(
    tmp_path: Path, url: str | None, webhook: bool, expected: str | None, is_fatal: bool
) -> None:
    found = machine.public_address(_settings(tmp_path, url=url, webhook=webhook))
    assert (found.problem is None) == (expected is None)
    assert expected is None or (expected in (found.problem or "") and found.is_fatal is is_fatal)


@pytest.mark.parametrize("webhook", [False, True])
async def test_nobody_under_the_public_address(tmp_path: Path, webhook: bool) -> None:
    found = await machine.public_reach(_settings(tmp_path, url="http://127.0.0.1:9", webhook=webhook))
    assert "http://127.0.0.1:9/livez does not answer" in (found.problem or "")
    assert found.is_fatal is webhook


async def test_everything_at_once(tmp_path: Path, servers: Servers, committed_url: str) -> None:
    """The whole examination of a fresh deployment: nothing fatal, and what is missing is named."""
    settings = _settings(tmp_path).model_copy(
        update={
            "database": Settings(_env_file=None).database.model_copy(update={"url": SecretStr(committed_url)}),
            "valkey": Settings(_env_file=None).valkey.model_copy(update={"url": SecretStr(servers.valkey_url)}),
        }
    )
    found = await doctor.examine(settings)
    assert [item.name for item in found if item.is_bad] == []
    assert {"secret", "disk", "database", "rights", "schema", "clock", "valkey", "backup"} <= {i.name for i in found}
    notes = {item.name for item in found if item.problem and not item.is_fatal}
    assert {"processes", "backup"} <= notes


async def test_a_database_and_a_valkey_that_are_away(tmp_path: Path) -> None:
    empty = Settings(_env_file=None)
    settings = _settings(tmp_path).model_copy(
        update={
            "database": empty.database.model_copy(update={"url": SecretStr("postgresql://a:b@127.0.0.1:9/siyu")}),
            "valkey": empty.valkey.model_copy(update={"url": SecretStr("redis://127.0.0.1:9")}),
        }
    )
    bad = {item.name: item.problem or "" for item in await doctor.examine(settings) if item.is_bad}
    assert set(bad) == {"database", "valkey"}
    assert "SIYU_DATABASE_URL" in bad["database"]
    assert "SIYU_VALKEY_URL" in bad["valkey"]


async def test_a_bad_secret_ends_the_examination(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = _settings(tmp_path, key="short")
    monkeypatch.setattr(doctor, "read_settings", lambda: settings)
    assert await doctor.run() == 1
