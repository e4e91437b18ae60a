"""Reading rows of activities and registrations as values."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.activities.errors import ActivityNotFound, RegistrationNotFound
from crm.activities.models import ActivityRow, RegistrationRow
from crm.activities.types import (
    Activity,
    ActivityStatus,
    Counts,
    Reason,
    Registration,
    RegistrationStatus,
    Terms,
)

_S = RegistrationStatus
HAS_PLACE = (_S.REGISTERED, _S.ATTENDED)
REGISTRATIONS: Select[*tuple[Any, ...]] = select(RegistrationRow.__table__, ActivityRow.name).join(
    ActivityRow, ActivityRow.id == RegistrationRow.activity_id
)
_TERMS = tuple(Terms.__dataclass_fields__)


async def activity(session: AsyncSession, activity_id: int, *, locked: bool = False) -> Activity:
    """One activity; `locked` holds its row, and with it who has a place, until the commit. Raises ActivityNotFound."""
    query = select(ActivityRow).where(ActivityRow.id == activity_id)
    found = await activities(session, query.with_for_update() if locked else query)
    if not found:
        raise ActivityNotFound(activity_id=activity_id)
    return found[0]


async def activities(session: AsyncSession, query: Select[ActivityRow]) -> list[Activity]:
    """What `query` finds, with who has what; the counts are read after the rows are locked."""
    rows = list(await session.scalars(query.execution_options(populate_existing=True)))
    counts = await _counts(session, [row.id for row in rows])
    return [_as_activity(row, counts.get(row.id, {})) for row in rows]


async def find(session: AsyncSession, activity_id: int, member_id: int) -> Registration | None:
    """The member's registration, cancelled ones too."""
    own = (RegistrationRow.activity_id == activity_id, RegistrationRow.member_id == member_id)
    row = (await session.execute(REGISTRATIONS.where(*own))).one_or_none()
    return None if row is None else as_registration(row)


async def registration(session: AsyncSession, registration_id: int) -> Registration:
    """One registration. Raises RegistrationNotFound."""
    row = (await session.execute(REGISTRATIONS.where(RegistrationRow.id == registration_id))).one_or_none()
    if row is None:
        raise RegistrationNotFound
    return as_registration(row)


async def registrations(session: AsyncSession, query: Select[*tuple[Any, ...]]) -> list[Registration]:
    """What `query`, made from REGISTRATIONS, finds."""
    return [as_registration(row) for row in await session.execute(query)]


def as_registration(row: Row[*tuple[Any, ...]]) -> Registration:
    """The value of a row of REGISTRATIONS."""
    return Registration(
        id=row.id,
        activity_id=row.activity_id,
        name=dict(row.name),
        member_id=row.member_id,
        status=RegistrationStatus(row.status),
        code=row.code,
        points=row.points,
        registered_at=row.registered_at,
        changed_at=row.changed_at,
        changed_by=row.changed_by,
        reason=None if row.reason is None else Reason(row.reason),
    )


async def _counts(session: AsyncSession, activity_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    columns = (RegistrationRow.activity_id, RegistrationRow.status)
    query = select(*columns, func.count().label("many")).where(RegistrationRow.activity_id.in_(activity_ids))
    found: dict[int, dict[str, int]] = {}
    for row in await session.execute(query.group_by(*columns)):
        found.setdefault(row.activity_id, {})[row.status] = row.many
    return found


def _as_activity(row: ActivityRow, counts: dict[str, int]) -> Activity:
    values = {name: getattr(row, name) for name in _TERMS}
    values |= {name: list(values[name]) for name in ("tiers", "segment_ids", "reminder_hours")}
    return Activity(
        id=row.id,
        name=dict(row.name),
        description=dict(row.description),
        place=dict(row.place),
        photo_media_id=row.photo_media_id,
        terms=Terms(**values),
        status=ActivityStatus(row.status),
        counts=Counts(
            registered=_sum(counts, HAS_PLACE),
            waiting=_sum(counts, (_S.WAITING,)),
            attended=_sum(counts, (_S.ATTENDED,)),
            cancelled=_sum(counts, (_S.CANCELLED,)),
        ),
        published_at=row.published_at,
        closed_at=row.closed_at,
        created_at=row.created_at,
    )


def _sum(counts: dict[str, int], statuses: Iterable[RegistrationStatus]) -> int:
    return sum(counts.get(status.value, 0) for status in statuses)
