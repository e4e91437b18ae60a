"""Public values of replays: a rule tried on the event log before it is published."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

MAX_DAYS = 366


class ReplayStatus(StrEnum):
    """How far a replay is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_open(self) -> bool:
        """Whether there is still something to do."""
        return self in (ReplayStatus.QUEUED, ReplayStatus.RUNNING)


@dataclass(frozen=True)
class ReplayMember:
    """What one member would have got in the days of a replay."""

    member_id: int
    live: int
    """By the rules in force."""
    draft: int
    """By the same with the rule that was tried."""


@dataclass(frozen=True)
class Replay:
    """A replay with what came out, once it is done."""

    id: int
    rule_id: int | None
    draft: Mapping[str, Any]
    """The rule as it was tried: kind, name, parameters, terms, valid_from, valid_until."""
    from_at: datetime
    until_at: datetime
    status: ReplayStatus
    total_events: int
    done_events: int
    result: Mapping[str, Any] | None
    """Totals and their value, per rule, per day, and the members with the largest differences; see
    `crm.points.replaying`."""
    error: str | None
    created_by: str
    created_at: datetime
    finished_at: datetime | None
