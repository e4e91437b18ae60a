"""Where the servers of a deployment are."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Servers:
    """Addresses, passwords included: never logged."""

    database_url: str
    valkey_url: str
