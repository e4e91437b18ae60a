"""PostgreSQL's own programs for dumps, in a version that the server accepts, and how they are told of it."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from runtime.embedded.binaries import postgres_installations

from .errors import BackupProblem

_NAMES = ("pg_dump", "pg_restore", "psql")
_PATIENCE = 20


@dataclass(frozen=True)
class Tools:
    """One installation's programs."""

    folder: Path
    major: int

    def path(self, name: str) -> str:
        """The program `name`."""
        return str(self.folder / name)


def find_tools(server_major: int) -> Tools:
    """Programs as old as the server, or else a little newer: older ones refuse it. Raises BackupProblem."""
    found = [Tools(item.bin_folder, item.major) for item in postgres_installations() if _has_all(item.bin_folder)]
    on_path = shutil.which("pg_dump")
    if on_path and _has_all(Path(on_path).parent):
        found += [Tools(Path(on_path).parent, major) for major in _major(on_path)]
    usable = [item for item in found if item.major >= server_major]
    if not usable:
        raise BackupProblem(
            f"The database is PostgreSQL {server_major}, but no pg_dump of that version or a newer one was found; "
            f"install the client programs of PostgreSQL {server_major}."
        )
    return min(usable, key=lambda item: item.major)


def _has_all(folder: Path) -> bool:
    return all((folder / name).is_file() for name in _NAMES)


def _major(program: str) -> list[int]:
    try:
        answer = subprocess.run(  # noqa: S603 - the program was just found on the path
            [program, "--version"], check=False, capture_output=True, text=True, timeout=_PATIENCE
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    return [int(number) for number in re.findall(r"\) (\d+)", answer.stdout)[:1]]


def address_without_password(url: str) -> str:
    """The address for a program's argument, which every user of the machine can read."""
    parts = urlsplit(url)
    user, separator, host = parts.netloc.rpartition("@")
    netloc = f"{user.partition(':')[0]}{separator}{host}"
    return SplitResult("postgresql", netloc, parts.path, parts.query, "").geturl()


def environment(url: str) -> dict[str, str]:
    """The environment of a program: the password of `url`, none of Siyu's own variables, messages in English."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SIYU_")}
    password = urlsplit(url).password
    given = {} if password is None else {"PGPASSWORD": unquote(password)}
    return {**kept, **given, "LC_ALL": "C", "PGAPPNAME": "siyu backup"}
