"""What keeps a process from starting: one clear sentence with the remedy, status 1, no traceback."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from runtime.embedded.process import free_port
from tests.acceptance.conftest import Telegram
from tests.acceptance.deployment import Deployment
from tests.acceptance.processes import Finished, finish

_LONG_SECRET = "long enough to be a secret of 32 or more"


def _says(finished: Finished, *words: str) -> None:
    said = finished.err
    assert finished.status == 1, said
    assert "Traceback" not in said
    for word in words:
        assert word in said, said
    sentences = [line for line in said.splitlines() if line.strip() and "[info" not in line]
    assert len(sentences) == 1, said


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port that another program listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield int(listener.getsockname()[1])


@pytest.mark.parametrize("command", ["up", "sender"])
@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"SIYU_HTTP_PORT": "eighty"}, ["SIYU_HTTP_PORT", "integer"]),
        ({"SIYU_HTTP_PORT": "70000"}, ["SIYU_HTTP_PORT", "65535"]),
        ({"SIYU_TELEGRAM_MODE": "pigeon"}, ["SIYU_TELEGRAM_MODE", "webhook"]),
        ({"SIYU_PUBLIC_URL": "not an address"}, ["SIYU_PUBLIC_URL"]),
        ({"SIYU_LOG_LEVEL": "loud"}, ["SIYU_LOG_LEVEL", "DEBUG"]),
    ],
)
async def test_settings_that_make_no_sense(
    tmp_path: Path, command: str, settings: dict[str, str], words: list[str]
) -> None:
    _says(await finish(command, settings=settings, folder=tmp_path), *words)


async def test_a_busy_port(tmp_path: Path, taken_port: int, deployment: Deployment) -> None:
    settings = {"SIYU_HTTP_PORT": str(taken_port)}
    _says(await finish("up", settings=settings, folder=tmp_path), str(taken_port), "taken", "SIYU_HTTP_PORT")
    both = {**deployment.settings, **settings}
    _says(await finish("api", settings=both, folder=tmp_path), str(taken_port), "taken", "SIYU_HTTP_PORT")
    assert not (tmp_path / ".siyu").exists()


@pytest.mark.parametrize("command", ["migrate", "api", "scheduler", "up"])
async def test_an_unreachable_database(deployment: Deployment, tmp_path: Path, command: str) -> None:
    url = f"postgresql://nobody:secret@127.0.0.1:{free_port()}/siyu"
    settings = {**deployment.settings, "SIYU_DATABASE_URL": url, "SIYU_HTTP_PORT": str(free_port())}
    done = await finish(command, settings=settings, folder=tmp_path)
    _says(done, "PostgreSQL", "reached", "SIYU_DATABASE_URL")
    assert "secret" not in done.err


@pytest.mark.parametrize("command", ["migrate", "sender"])
async def test_a_wrong_password_and_a_missing_database(deployment: Deployment, tmp_path: Path, command: str) -> None:
    given = deployment.settings["SIYU_DATABASE_URL"]
    head, _, tail = given.rpartition("@")
    wrong = f"{head.rpartition(':')[0]}:wrong@{tail}"
    settings = {**deployment.settings, "SIYU_DATABASE_URL": wrong, "SIYU_HTTP_PORT": str(free_port())}
    _says(await finish(command, settings=settings, folder=tmp_path), "password", "SIYU_DATABASE_URL")
    settings["SIYU_DATABASE_URL"] = given.rpartition("/")[0] + "/there_is_none"
    _says(await finish(command, settings=settings, folder=tmp_path), "does not exist", "SIYU_DATABASE_URL")


async def test_no_database_address_is_told_by_the_processes_that_need_one(tmp_path: Path) -> None:
    done = await finish("api", settings={"SIYU_SECRET_KEY": _LONG_SECRET}, folder=tmp_path)
    _says(done, "SIYU_DATABASE_URL", "SIYU_VALKEY_URL", "siyu up")


async def test_an_unreachable_valkey_keeps_nothing_from_starting_that_can_do_without(
    deployment: Deployment, tmp_path: Path
) -> None:
    settings = {**deployment.settings, "SIYU_VALKEY_URL": f"redis://127.0.0.1:{free_port()}/0"}
    made = await finish("api-key", "create", "--name", "n", "--scopes", "*", settings=settings, folder=tmp_path)
    assert made.status == 0, made.err


@pytest.mark.parametrize("command", ["up", "api", "migrate"])
async def test_a_short_secret(deployment: Deployment, tmp_path: Path, command: str) -> None:
    settings = {**deployment.settings, "SIYU_SECRET_KEY": "short", "SIYU_HTTP_PORT": str(free_port())}
    _says(await finish(command, settings=settings, folder=tmp_path), "SIYU_SECRET_KEY", "32", "openssl")


@pytest.mark.parametrize("command", ["up", "migrate"])
async def test_a_folder_that_cannot_be_written(tmp_path: Path, command: str) -> None:
    """A file stands in the way: that stops even root."""
    (tmp_path / "file").write_text("in the way")
    settings = {"SIYU_DATA_DIR": str(tmp_path / "file" / "data"), "SIYU_HTTP_PORT": str(free_port())}
    _says(await finish(command, settings=settings, folder=tmp_path), str(tmp_path / "file"), "SIYU_DATA_DIR")


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("123456789:" + "A" * 35, ["SIYU_TELEGRAM_BOT_TOKEN", "refused"]),
        ("no token at all", ["SIYU_TELEGRAM_BOT_TOKEN", "@BotFather"]),
    ],
)
async def test_a_wrong_token(
    deployment: Deployment, telegram: Telegram, tmp_path: Path, token: str, words: list[str]
) -> None:
    settings = {
        **deployment.settings,
        "SIYU_TELEGRAM_BOT_TOKEN": token,
        "SIYU_TELEGRAM_API_BASE": telegram.server.base_url,
        "SIYU_HTTP_PORT": str(free_port()),
    }
    done = await finish("up", settings=settings, folder=tmp_path)
    _says(done, *words)
    assert token not in done.err


async def test_an_unknown_command_and_an_unknown_role(deployment: Deployment) -> None:
    unknown = await deployment.siyu("fly")
    assert (unknown.status, "No such command" in unknown.err) == (2, True), unknown.err
    _says(await deployment.siyu("operator", "create", "--email", "a@b.c", "--name", "A", "--role", "king"), "owner")
    _says(await deployment.siyu("api-key", "create", "--name", "k", "--scopes", "fly:high"), "fly:high")
