"""A run of a flow as it stands on the conversation row."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter

from flows.engine.reading import OpenQuestion


@dataclass
class Run:
    """One start of a flow, until it ends."""

    number: int
    """Which start of this conversation; buttons carry it."""
    flow: str
    arguments: list[Any] = field(default_factory=list)
    steps: int = 0
    """Journaled steps so far."""
    asked: int = 0
    """Questions opened so far."""
    has_journal: bool = False
    """Whether entries are stored."""
    has_wakes: bool = False
    """Whether timers or a job may wake it."""
    parked_at: datetime | None = None
    question: OpenQuestion | None = None


_RUNS = TypeAdapter(list[Run])


def load_runs(value: list[dict[str, Any]]) -> list[Run]:
    """The runs that `dump_runs` wrote."""
    return _RUNS.validate_python(value)


def dump_runs(runs: list[Run]) -> list[dict[str, Any]]:
    """The runs as JSON values."""
    return list(_RUNS.dump_python(runs, mode="json", exclude_defaults=True))
