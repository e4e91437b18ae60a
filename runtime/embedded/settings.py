"""The settings of an embedded PostgreSQL: sensible for one small machine, never on the network."""

import re
from collections.abc import Mapping

from .errors import EmbeddedServerError

_DEFAULTS = {
    "shared_buffers": "256MB",
    "max_connections": "200",
    "jit": "off",
    "fsync": "on",
    "synchronous_commit": "on",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Without this the log would repeat members' data in the details of errors.
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}
_FIXED = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "logging_collector": "off",
}
_REFUSED = frozenset(_FIXED) | {"port", "data_directory", "hba_file", "ident_file", "config_file"}
_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?")


def server_settings(wanted: Mapping[str, str]) -> dict[str, str]:
    """All settings for a start: ours, overridden by the wanted ones.

    Raises EmbeddedServerError for a name that is none, or that would open the server to others.
    """
    for name, value in wanted.items():
        if not _NAME.fullmatch(name) or name in _REFUSED or "\0" in value:
            raise EmbeddedServerError(f"The PostgreSQL setting {name!r} cannot be set here.")
    return {**_DEFAULTS, **wanted, **_FIXED}


def command_line(settings: Mapping[str, str], port: int) -> list[str]:
    """The settings and the port as arguments of the `postgres` program."""
    pairs = [*settings.items(), ("port", str(port))]
    return [argument for name, value in pairs for argument in ("-c", f"{name}={value}")]
