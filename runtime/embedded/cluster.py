"""The files of a PostgreSQL cluster: making it whole or not at all, and reading what it says."""

import os
import shutil
from pathlib import Path

from .errors import EmbeddedServerError
from .privileges import Account, check_path
from .process import run_tool
from .record import new_password

FOLDER = "postgres"
ADMIN = "siyu_admin"
OWNER = "siyu_owner"
DATABASE = "siyu"
_BUILTIN_LOCALE_SINCE = 17
_PORT_LINE = 3  # counted from 0, in postmaster.pid
# Chinese text is searchable by trigrams only where the character type locale is UTF-8.
_LOCALES = ("C.UTF-8", "en_US.UTF-8", "C")


def cluster_major(cluster: Path) -> int | None:
    """The major version that made the cluster; None when there is no cluster yet."""
    try:
        return int((cluster / "PG_VERSION").read_text().strip())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise EmbeddedServerError(f"The database cluster {cluster} is damaged. Restore it from a backup.") from error


def create_cluster(bin_folder: Path, major: int, home: Path, account: Account, password: str) -> None:
    """Make the cluster in `home`; an interrupted attempt leaves nothing that looks complete.

    Raises EmbeddedServerError with what initdb said.
    """
    check_path(bin_folder)
    unfinished = home / f"{FOLDER}.unfinished"
    password_file = home / f".{FOLDER}.{new_password()[:8]}"
    complaint = ""
    try:
        _write_for(account, password_file, password)
        for locale in _LOCALES:
            shutil.rmtree(unfinished, ignore_errors=True)
            command = _initdb(bin_folder, major, unfinished, password_file, locale)
            complaint = run_tool(command, home, account)
            if not complaint:
                unfinished.rename(home / FOLDER)
                return
            if "locale" not in complaint:
                break
    finally:
        password_file.unlink(missing_ok=True)
        shutil.rmtree(unfinished, ignore_errors=True)
    raise EmbeddedServerError(f"PostgreSQL's initdb failed in {home}:\n{complaint}")


def read_pid_file(cluster: Path) -> tuple[int, int] | None:
    """Process number and port in postmaster.pid, the port 0 when it is not there yet; or None."""
    try:
        lines = (cluster / "postmaster.pid").read_text(errors="replace").splitlines()
        return int(lines[0]), int(lines[_PORT_LINE]) if len(lines) > _PORT_LINE else 0
    except (OSError, ValueError, IndexError):
        return None


def drop_stale_pid_file(cluster: Path) -> None:
    """Remove a pid file whose process is known not to be ours.

    PostgreSQL would take any living process of that number for its own. What a killed server
    left running is not overlooked: PostgreSQL also asks who holds the shared memory.
    """
    (cluster / "postmaster.pid").unlink(missing_ok=True)


def _initdb(bin_folder: Path, major: int, target: Path, password_file: Path, locale: str) -> list[str | Path]:
    command: list[str | Path] = [
        bin_folder / "initdb",
        f"--pgdata={target}",
        f"--username={ADMIN}",
        "--auth=scram-sha-256",
        f"--pwfile={password_file}",
        "--encoding=UTF8",
        f"--locale={locale}",
    ]
    if major >= _BUILTIN_LOCALE_SINCE:
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return command


def _write_for(account: Account, path: Path, content: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(content)
        if account.is_other:
            os.fchown(descriptor, account.uid, account.gid)
