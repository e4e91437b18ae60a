"""What a capability declares in its `retention.py`, and what operators see of it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Retained:
    """A class of data that grows without bound and is forgotten after some days."""

    key: str
    label: str
    """What it is, for operators."""
    days: int
    """Unless an operator says otherwise."""
    least_days: int
    """Fewer would break what relies on it."""
    partitioned: tuple[str, ...]
    """Tables partitioned by month; a month is dropped when all of it is old enough."""
    rows: tuple[tuple[str, str], ...] = ()
    """Small tables beside them and their columns of time, whose old rows are removed."""


@dataclass(frozen=True)
class Rule:
    """How long one class is kept now."""

    key: str
    label: str
    days: int
    default_days: int
    least_days: int
    changed_at: datetime | None
    """None while it is as shipped."""


@dataclass(frozen=True)
class Purged:
    """What was forgotten in one go."""

    key: str
    partitions: int
    rows: int
