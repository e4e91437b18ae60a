"""The small private file in the data folder that remembers where a server lives."""

import contextlib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from .errors import EmbeddedServerError


@dataclass(frozen=True)
class ServerRecord:
    """Where a server's files are and how to reach it; `port` and `pid` are 0 before a first start.

    `settings` are those that the server was last started with; `initialised` says that `home`
    once held complete data, so that a missing folder is a loss to report, not a first start.
    """

    home: str
    password: str
    admin_password: str = ""
    port: int = 0
    pid: int = 0
    settings: Mapping[str, str] = field(default_factory=dict)
    initialised: bool = False


_ADAPTER = TypeAdapter(ServerRecord)


def new_password() -> str:
    """A random password that needs no quoting in an address or in SQL."""
    return secrets.token_hex(24)


def read_record(path: Path) -> ServerRecord | None:
    """The record at `path`, or None when there is none.

    Raises EmbeddedServerError when it is damaged or was written by another user.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise EmbeddedServerError(
            f"{path} cannot be read ({error.strerror}). "
            "Run Siyu as the user who owns the data folder, or set SIYU_DATA_DIR."
        ) from error
    with os.fdopen(descriptor, "rb") as file:
        if os.fstat(descriptor).st_uid != os.geteuid():
            raise EmbeddedServerError(
                f"{path} belongs to another user. Run Siyu as that user, or choose another folder with SIYU_DATA_DIR."
            )
        content = file.read()
    try:
        return _ADAPTER.validate_json(content)
    except ValidationError as error:
        raise EmbeddedServerError(
            f"{path} is damaged. Restore it from a backup; if its data may be lost, delete it."
        ) from error


def write_record(path: Path, record: ServerRecord) -> None:
    """Replace the record at once and durably, readable by its owner alone."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(record), file, indent=2)
            file.flush()
            os.fsync(descriptor)
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise EmbeddedServerError(
            f"{path} cannot be written ({error.strerror}). Make room or give this user the data folder."
        ) from error
