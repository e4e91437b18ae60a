"""Public values of recovery."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class SafeMode:
    """Nothing is sent since `started_at`, because the data is that of a backup."""

    started_at: datetime
    backup_made_at: datetime
    last_reply: int
    """Replies up to this position stood open in the backup."""


@dataclass(frozen=True)
class Backup:
    """A backup that was made of this database."""

    made_at: datetime
    name: str
    size: int
    """Bytes of the file."""
    sha256: str
    """Of the whole file, in hex."""
