"""Reading rows of missions and badges as values."""

from typing import Any

from sqlalchemy import Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.missions.errors import BadgeNotFound, MissionNotFound
from crm.missions.models import BadgeRow, HeldBadgeRow, MissionRow
from crm.missions.types import Badge, Comparison, Filter, Mission, Rewards, Step, Window

_HELD = select(func.count()).where(HeldBadgeRow.badge_id == BadgeRow.id).correlate(BadgeRow).scalar_subquery()
BADGES: Select[*tuple[Any, ...]] = select(BadgeRow.__table__, _HELD.label("held"))


async def mission(session: AsyncSession, mission_id: int) -> Mission:
    """One mission. Raises MissionNotFound."""
    row = await session.get(MissionRow, mission_id, populate_existing=True)
    if row is None:
        raise MissionNotFound(mission_id=mission_id)
    return as_mission(row)


async def missions(session: AsyncSession, *, active_only: bool = False) -> list[Mission]:
    """All of them, in their order."""
    query = select(MissionRow).order_by(MissionRow.position, MissionRow.id).execution_options(populate_existing=True)
    if active_only:
        query = query.where(MissionRow.is_active)
    return [as_mission(row) for row in await session.scalars(query)]


async def badge(session: AsyncSession, badge_id: int) -> Badge:
    """One badge. Raises BadgeNotFound."""
    row = (await session.execute(BADGES.where(BadgeRow.id == badge_id))).one_or_none()
    if row is None:
        raise BadgeNotFound(badge_id=badge_id)
    return as_badge(row)


def steps_json(steps: tuple[Step, ...]) -> list[dict[str, Any]]:
    """Steps as they are kept."""
    return [{"event": step.event, "count": step.count, "where": [_filter(one) for one in step.where]} for step in steps]


def as_mission(row: MissionRow) -> Mission:
    """The value of a row."""
    return Mission(
        id=row.id,
        name=dict(row.name),
        description=dict(row.description),
        steps=tuple(_step(step) for step in row.steps),
        window=Window(row.window),
        rewards=Rewards(**row.rewards),
        tiers=list(row.tiers),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        position=row.position,
        is_active=row.is_active,
        completed=row.completed,
        created_at=row.created_at,
    )


def as_badge(row: Row[*tuple[Any, ...]]) -> Badge:
    """The value of a row of BADGES."""
    return Badge(
        id=row.id,
        name=dict(row.name),
        description=dict(row.description),
        emoji=row.emoji,
        photo_media_id=row.photo_media_id,
        is_active=row.is_active,
        held=row.held,
        created_at=row.created_at,
    )


def _filter(one: Filter) -> dict[str, str]:
    return {"field": one.field, "test": one.test.value, "value": one.value}


def _step(kept: dict[str, Any]) -> Step:
    where = tuple(Filter(one["field"], Comparison(one["test"]), one["value"]) for one in kept["where"])
    return Step(kept["event"], kept["count"], where)
