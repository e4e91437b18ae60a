"""Which account runs a server, and the private folder in which that account keeps its files.

Database servers refuse to run as root. Root therefore hands them to `nobody`, who can reach
neither a checkout below a closed folder nor the virtual environment in it: binaries and data
get a folder of their own outside, owned by that account, and no foreign folder is opened.
"""

import os
import pwd
import shutil
import stat
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .errors import EmbeddedServerError

_UNPRIVILEGED = "nobody"
# /var/tmp comes last: some systems sweep files there that were not touched for weeks.
_HOME_PARENTS = (Path("/var/lib"), Path("/opt"), Path("/var/tmp"))  # noqa: S108  mkdtemp is used
_SHELL_CHARACTERS = frozenset('"$`\\')
_PRIVATE = 0o700
_LONGEST_PATH = 900  # bytes; PostgreSQL cuts paths off at 1024


@dataclass(frozen=True)
class Account:
    """The operating system account that a server runs as."""

    name: str
    uid: int
    gid: int

    @property
    def is_other(self) -> bool:
        """Whether starting a server means to drop from root to this account."""
        return self.uid != os.geteuid()


def server_account() -> Account:
    """The account for servers: the current one, or `nobody` when that is root."""
    if os.geteuid() != 0:
        return Account(str(os.geteuid()), os.geteuid(), os.getegid())
    try:
        entry = pwd.getpwnam(_UNPRIVILEGED)
    except KeyError:
        raise EmbeddedServerError(
            f"Siyu runs as root, but there is no account {_UNPRIVILEGED} to run the servers as. "
            "Create it, run Siyu as another user, or set SIYU_DATABASE_URL and SIYU_VALKEY_URL."
        ) from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def prepare_data_folder(folder: Path) -> Path:
    """Make the data folder when it is missing (mode 0700) and return its real path.

    Raises EmbeddedServerError for a path that the servers could not work with.
    """
    resolved = folder.expanduser().resolve()
    check_path(resolved)
    try:
        resolved.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise EmbeddedServerError(
            f"The data folder {resolved} cannot be made ({error.strerror}). Choose another one with SIYU_DATA_DIR."
        ) from error
    if not os.access(resolved, os.W_OK | os.X_OK):
        raise EmbeddedServerError(
            f"The data folder {resolved} cannot be written by this user. Choose another one with SIYU_DATA_DIR."
        )
    return resolved


def check_path(path: Path) -> None:
    """Refuse a path that PostgreSQL's own tools would cut off or hand to a shell wrongly."""
    text = str(path)
    if len(os.fsencode(path)) > _LONGEST_PATH:
        raise EmbeddedServerError(
            f"The path {text[:60]}... is too long for PostgreSQL ({_LONGEST_PATH} bytes at most). Use a shorter folder."
        )
    if not text.isprintable() or _SHELL_CHARACTERS & set(text):
        raise EmbeddedServerError(
            f"The path {text!r} contains a quote, dollar, backslash or control character, "
            "which PostgreSQL's tools cannot handle. Use another folder."
        )


def create_home(account: Account, data_folder: Path) -> Path:
    """The folder for a server's files: the data folder itself, or as root a new one outside it."""
    if not account.is_other:
        return data_folder
    for parent in _HOME_PARENTS:
        if not _is_reachable(parent):
            continue
        try:
            home = Path(tempfile.mkdtemp(prefix="siyu-", dir=parent))
        except OSError:
            continue
        hand_over(home, account)
        return home
    places = ", ".join(str(parent) for parent in _HOME_PARENTS)
    raise EmbeddedServerError(
        f"As root Siyu keeps its servers' files in a folder of {account.name} below one of "
        f"{places}, but none of them can be used. Run Siyu as another user."
    )


def check_home(home: Path, account: Account, data_folder: Path, record: Path) -> None:
    """Refuse a recorded folder that is gone, is not the account's own or is open to others."""
    if not account.is_other and home != data_folder and home.parent in _HOME_PARENTS:
        raise EmbeddedServerError(
            f"{record} was made by root. Run Siyu as root, or set SIYU_DATA_DIR to another folder."
        )
    try:
        status = home.lstat()
    except FileNotFoundError:
        raise EmbeddedServerError(
            f"The folder {home}, recorded in {record}, no longer exists. Restore it from a "
            f"backup, or delete {record} to start with empty data."
        ) from None
    is_ours = stat.S_ISDIR(status.st_mode) and status.st_uid == account.uid
    if account.is_other and not (is_ours and stat.S_IMODE(status.st_mode) == _PRIVATE):
        raise EmbeddedServerError(
            f"The folder {home}, recorded in {record}, is not a private folder of "
            f"{account.name}, so it is not trusted. Look who changed it."
        )


def install(sources: Iterable[Path], home: Path, account: Account, label: str) -> Path:
    """Copy files and folders to `home`/`label` once, owned by the account; returns that folder.

    They are copied and handed over outside of `home`, where the account cannot interfere, and
    arrive there by one rename: a folder of that name is complete.
    """
    target = home / label
    if target.is_dir():
        return target
    staging = Path(tempfile.mkdtemp(prefix=".siyu-", dir=home.parent))
    try:
        for source in sources:
            _copy(source, staging / source.name)
        hand_over(staging, account)
        staging.rename(target)
    except OSError as error:
        shutil.rmtree(staging, ignore_errors=True)
        raise EmbeddedServerError(
            f"The server's binaries cannot be copied to {target} ({error.strerror or error}). Make room on that disk."
        ) from error
    for other in home.glob(f"{label.partition('-')[0]}-*"):
        if other != target:
            shutil.rmtree(other, ignore_errors=True)
    return target


def hand_over(folder: Path, account: Account) -> None:
    """Give a folder that only root can write, and all in it, to the account."""
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, account.uid, account.gid, follow_symlinks=False)


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        unwanted = shutil.ignore_patterns("include", "__pycache__", "*.a")
        shutil.copytree(source, target, symlinks=True, ignore=unwanted)
    else:
        shutil.copy2(source, target)


def _is_reachable(folder: Path) -> bool:
    try:
        return all(part.stat().st_uid == 0 and part.stat().st_mode & stat.S_IXOTH for part in [folder, *folder.parents])
    except OSError:
        return False
