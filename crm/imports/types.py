"""Public values of imports."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ImportStatus(StrEnum):
    """Where an import stands."""

    UPLOADED = "uploaded"
    """The file is here; somebody has to say which column is what."""
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"


@dataclass(frozen=True)
class Import:
    """One file of members on its way in."""

    id: int
    filename: str
    status: ImportStatus
    is_dry_run: bool
    encoding: str
    mapping: dict[str, str]
    """Column of the file -> field of a member."""
    tags: list[str]
    rows_total: int
    rows_done: int
    rows_created: int
    rows_updated: int
    rows_failed: int
    by: str
    created_at: datetime
    finished_at: datetime | None
    has_file: bool = False
    """Whether it can be run (again): the file is kept for a day until it was really imported."""


@dataclass(frozen=True)
class RowProblem:
    """Why a row was left out; the header is row 1. The row's own values are not repeated: they are personal."""

    row: int
    reason: str


@dataclass(frozen=True)
class Sheet:
    """What a file looks like, before it is imported."""

    encoding: str
    header: list[str]
    rows_total: int
    mapping: dict[str, str]
    """Suggested: column -> field, for the columns whose names say it."""
