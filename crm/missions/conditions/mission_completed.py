"""Condition: whether a member completed a mission."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
from pydantic import Field
from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession

from crm.kit.rules import Parameters, Scope
from crm.kit.windows import Days
from crm.missions.views import completions

Done = tuple[int, datetime]
"""Mission and when it was completed."""


class MissionCompletedParameters(Parameters):
    """One mission, or any; lately, or ever."""

    mission_id: int | None = Field(default=None, ge=1, le=2**62, title="Mission", description="Number; empty: any.")
    within_days: Days | None = Field(default=None, title="Within the last … days")


class MissionCompletedCondition:
    """Members who completed a mission in some window of it."""

    name = "mission_completed"
    label = "Mission completed"
    group = "Loyalty"
    parameters = MissionCompletedParameters

    def predicate(self, parameters: MissionCompletedParameters, scope: Scope) -> ColumnElement[bool]:
        """A semi-join with completed missions."""
        query = sa.select(completions.c.member_id)
        if parameters.mission_id is not None:
            query = query.where(completions.c.mission_id == parameters.mission_id)
        if parameters.within_days is not None:
            query = query.where(completions.c.completed_at >= scope.now - timedelta(days=parameters.within_days))
        return scope.member_id.in_(query)

    async def facts(self, session: AsyncSession, member_ids: Sequence[int]) -> Mapping[int, list[Done]]:
        """What each member completed, and when."""
        found: dict[int, list[Done]] = defaultdict(list)
        columns = (completions.c.member_id, completions.c.mission_id, completions.c.completed_at)
        for row in await session.execute(sa.select(*columns).where(completions.c.member_id.in_(member_ids))):
            found[row.member_id].append((row.mission_id, row.completed_at))
        return found

    def matches(self, parameters: MissionCompletedParameters, fact: list[Done] | None, now: datetime) -> bool:
        """The same in plain Python."""
        days = parameters.within_days
        return any(
            parameters.mission_id in {None, mission_id} and (days is None or at >= now - timedelta(days=days))
            for mission_id, at in fact or []
        )


mission_completed = MissionCompletedCondition()
