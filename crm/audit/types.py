"""Public values of the audit log."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """Who did what to what. Personal data in `before` and `after` must be hashed or left out by the caller."""

    actor: str
    """`operator:3`, `api_key:2`, `cli` or `system`."""
    action: str
    """Capability and verb, e.g. `segment.create`."""
    subject: str
    """Kind and id, e.g. `segment:12`; empty when nothing was reached."""
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None
    ip: str | None = None
    request_id: str | None = None


@dataclass(frozen=True)
class RecordedEntry:
    """An entry as it stands in the log."""

    id: int
    at: datetime
    entry: AuditEntry


@dataclass(frozen=True)
class AuditReport:
    """Result of checking the chain."""

    entries: int
    first_bad_id: int | None

    @property
    def is_clean(self) -> bool:
        """Whether no entry was changed, removed or slipped in."""
        return self.first_bad_id is None
