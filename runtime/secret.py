"""The deployment's secret: given by SIYU_SECRET_KEY, or made once and kept in the data folder."""

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from crm.kit.crypto import Vault

if TYPE_CHECKING:
    from crm.config.settings import Settings

MINIMUM = 32
_FILE = "secret.key"


class SecretProblem(Exception):
    """The secret cannot be used; the message says what to do."""


def open_vault(settings: "Settings") -> Vault:
    """The vault of this deployment. Raises SecretProblem."""
    given = settings.secret.key
    secret = _kept(settings.data.dir) if given is None else given.get_secret_value()
    older = settings.secret.older_keys
    others = [] if older is None else [key.strip() for key in older.get_secret_value().split(",") if key.strip()]
    for key in (secret, *others):
        if len(key) < MINIMUM:
            raise SecretProblem(
                f"SIYU_SECRET_KEY must have {MINIMUM} characters or more; make one with: openssl rand -base64 36"
            )
    return Vault(secret.encode(), *(key.encode() for key in others))


def is_kept(settings: "Settings") -> bool:
    """Whether the secret lies in the data folder, where it is lost together with the data."""
    return settings.secret.key is None


def _kept(folder: Path) -> str:
    path = folder / _FILE
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read(path)
    except OSError as error:
        raise SecretProblem(f"{path} cannot be written ({error.strerror}); choose another SIYU_DATA_DIR.") from error
    with os.fdopen(made, "w") as file:
        file.write(secrets.token_urlsafe(48))
        file.flush()
        os.fsync(made)
    return _read(path)


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError as error:
        raise SecretProblem(f"{path} cannot be read ({error.strerror}); run Siyu as its owner.") from error
