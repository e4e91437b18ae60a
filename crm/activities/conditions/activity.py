"""Condition: what a member has at an activity."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from pydantic import Field
from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession

from crm.activities.types import Presence, RegistrationStatus
from crm.activities.views import registrations
from crm.kit.rules import Parameters, Scope
from crm.kit.windows import Days

_S, _P = RegistrationStatus, Presence
_STATUSES: dict[Presence, tuple[RegistrationStatus, ...]] = {
    _P.REGISTERED: (_S.REGISTERED, _S.ATTENDED),
    _P.WAITING: (_S.WAITING,),
    _P.ATTENDED: (_S.ATTENDED,),
    _P.MISSED: (_S.REGISTERED,),
    _P.CANCELLED: (_S.CANCELLED,),
}


@dataclass(frozen=True)
class Taking:
    """A registration as the condition sees it."""

    activity_id: int
    status: RegistrationStatus
    registered_at: datetime
    changed_at: datetime
    ends_at: datetime


class ActivityParameters(Parameters):
    """One activity, or any; what the member has there, and since when."""

    activity_id: int | None = Field(default=None, ge=1, le=2**62, title="Activity", description="Number; empty: any.")
    presence: Presence = Field(default=Presence.ATTENDED, title="The member")
    within_days: Days | None = Field(default=None, title="Within the last … days")


class ActivityCondition:
    """Members who registered for, wait for, came to, missed or cancelled an activity."""

    name = "activity"
    label = "Activity of the brand"
    group = "Loyalty"
    parameters = ActivityParameters

    def predicate(self, parameters: ActivityParameters, scope: Scope) -> ColumnElement[bool]:
        """A semi-join with registrations."""
        columns = registrations.c
        query = sa.select(columns.member_id).where(columns.status.in_(_STATUSES[parameters.presence]))
        if parameters.activity_id is not None:
            query = query.where(columns.activity_id == parameters.activity_id)
        if parameters.presence is Presence.MISSED:
            query = query.where(columns.ends_at <= scope.now)
        if parameters.within_days is not None:
            since: Any = columns[_since(parameters.presence)]
            query = query.where(since >= scope.now - timedelta(days=parameters.within_days))
        return scope.member_id.in_(query)

    async def facts(self, session: AsyncSession, member_ids: Sequence[int]) -> Mapping[int, list[Taking]]:
        """The registrations of each member."""
        found: dict[int, list[Taking]] = defaultdict(list)
        query = sa.select(registrations).where(registrations.c.member_id.in_(member_ids))
        for row in await session.execute(query):
            status = RegistrationStatus(row.status)
            taking = Taking(row.activity_id, status, row.registered_at, row.changed_at, row.ends_at)
            found[row.member_id].append(taking)
        return found

    def matches(self, parameters: ActivityParameters, fact: list[Taking] | None, now: datetime) -> bool:
        """The same in plain Python."""
        return any(_fits(parameters, taking, now) for taking in fact or [])


def _since(presence: Presence) -> str:
    """Which moment counts: for a place when it was taken, for a missed activity its end, else the last change."""
    return {Presence.REGISTERED: "registered_at", Presence.MISSED: "ends_at"}.get(presence, "changed_at")


def _fits(parameters: ActivityParameters, taking: Taking, now: datetime) -> bool:
    days, presence = parameters.within_days, parameters.presence
    return (
        parameters.activity_id in {None, taking.activity_id}
        and taking.status in _STATUSES[presence]
        and (presence is not Presence.MISSED or taking.ends_at <= now)
        and (days is None or getattr(taking, _since(presence)) >= now - timedelta(days=days))
    )


activity = ActivityCondition()
