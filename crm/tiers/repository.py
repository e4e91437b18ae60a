"""Reading rows of tiers as values."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.tiers.models import HistoryRow, ProgrammeRow, RunRow, StandingRow
from crm.tiers.types import (
    Grant,
    Interval,
    Measure,
    Measured,
    Programme,
    ProgrammeStatus,
    Reason,
    Rules,
    Run,
    RunKind,
    Standing,
    Subject,
)

_RULES: TypeAdapter[Rules] = TypeAdapter(Rules)


def rules_json(rules: Rules) -> dict[str, Any]:
    """As a row keeps them."""
    plain = _RULES.dump_python(rules, mode="json")
    assert isinstance(plain, dict)
    return plain


def as_programme(row: ProgrammeRow) -> Programme:
    """The value of a row."""
    return Programme(
        version=row.version,
        status=ProgrammeStatus(row.status),
        rules=_RULES.validate_python(row.rules),
        created_by=row.created_by,
        created_at=row.created_at,
        published_at=row.published_at,
        retired_at=row.retired_at,
    )


def as_standing(row: Mapping[Any, Any]) -> Standing:
    """The value of a row with the columns of standings."""
    grant = None
    if row["grant_tier"] is not None:
        grant = Grant(row["grant_tier"], row["grant_until"], row["grant_reason"] or "", row["grant_by"] or "")
    return Standing(row["tier"], row["earned"], row["since"], row["falls_at"], row["risk_ends_at"], grant)


def as_subject(row: Mapping[Any, Any]) -> Subject:
    """The value of a row of `measuring.subjects`."""
    measured = Measured(row["entry"], row["keep"], row["coming"])
    return Subject(row["member_id"], as_standing(row), measured, row["profile_multiplier"])


def as_interval(row: HistoryRow) -> Interval:
    """The value of a row."""
    return Interval(
        tier=row.tier,
        started_at=row.started_at,
        ended_at=row.ended_at,
        reason=Reason(row.reason),
        measure=Measure(row.measure),
        value=row.value,
        version=row.version,
        by=row.by,
    )


def as_run(row: RunRow) -> Run:
    """The value of a row."""
    return Run(
        id=row.id,
        version=row.version,
        kind=RunKind(row.kind),
        next_id=row.next_id,
        until_id=row.until_id,
        up=row.up,
        down=row.down,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


async def standing(session: AsyncSession, member_id: int) -> Standing:
    """Where a member stands; an empty standing when they never had a tier."""
    row = await session.get(StandingRow, member_id, populate_existing=True)
    return Standing() if row is None else as_standing(vars(row))


async def with_status(session: AsyncSession, status: ProgrammeStatus) -> Programme | None:
    """The one live programme, or the one draft."""
    query = select(ProgrammeRow).where(ProgrammeRow.status == status)
    row = await session.scalar(query.execution_options(populate_existing=True))
    return None if row is None else as_programme(row)
