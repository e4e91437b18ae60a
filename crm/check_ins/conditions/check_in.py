"""Condition: how steadily and how lately a member checks in.

Days are the members' own local dates, compared with today's date in UTC.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Self

import sqlalchemy as sa
from pydantic import Field, model_validator
from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession

from crm.check_ins.views import check_ins
from crm.kit.rules import Parameters, Scope
from crm.profiles import service as profiles

_MOST_DAYS = 3660


class CheckInParameters(Parameters):
    """What must hold; what is given must hold together."""

    streak_at_least: int | None = Field(
        default=None, ge=1, le=_MOST_DAYS, title="Streak of at least", description="Still running: to yesterday."
    )
    within_days: int | None = Field(default=None, ge=0, le=_MOST_DAYS, title="Last check-in within days")
    not_within_days: int | None = Field(default=None, ge=0, le=_MOST_DAYS, title="No check-in for days")
    times_at_least: int | None = Field(default=None, ge=1, le=_MOST_DAYS, title="Check-ins, at least")
    times_within_days: int | None = Field(default=None, ge=1, le=_MOST_DAYS, title="Counted within days")

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if not self.model_fields_set or all(value is None for value in vars(self).values()):
            raise ValueError("give streak_at_least, within_days, not_within_days or times_at_least")
        if self.times_within_days is not None and self.times_at_least is None:
            raise ValueError("times_within_days goes with times_at_least")
        return self


@dataclass(frozen=True)
class CheckInFact:
    """What the plain evaluator knows of a member."""

    streak: int = 0
    last_on: date | None = None
    total: int = 0
    days: list[date] = field(default_factory=list)


class CheckInCondition:
    """Members by their check-ins."""

    name = "check_in"
    label = "Check-in"
    group = "Loyalty"
    parameters = CheckInParameters

    def predicate(self, parameters: CheckInParameters, scope: Scope) -> ColumnElement[bool]:
        """Tests on the profile; counting within days is a semi-join with check-ins grouped by member."""
        profile, tests = scope.profile.c, list[ColumnElement[bool]]()
        last_on = sa.func.coalesce(profile.last_check_in_on, date.min)
        if parameters.streak_at_least is not None:
            tests += [profile.streak >= parameters.streak_at_least, last_on >= _ago(scope.now, 1)]
        if parameters.within_days is not None:
            tests.append(last_on >= _ago(scope.now, parameters.within_days))
        if parameters.not_within_days is not None:
            tests.append(last_on < _ago(scope.now, parameters.not_within_days))
        if parameters.times_within_days is not None:
            tests.append(scope.member_id.in_(_often(parameters, scope.now)))
        elif parameters.times_at_least is not None:
            tests.append(profile.check_ins_count >= parameters.times_at_least)
        return sa.and_(*tests)

    async def facts(self, session: AsyncSession, member_ids: Sequence[int]) -> Mapping[int, CheckInFact]:
        """The check-ins of each member."""
        days: dict[int, list[date]] = defaultdict(list)
        query = sa.select(check_ins.c.member_id, check_ins.c.local_date).where(check_ins.c.member_id.in_(member_ids))
        for row in await session.execute(query):
            days[row.member_id].append(row.local_date)
        return {
            member_id: CheckInFact(found.streak, found.last_check_in_on, found.check_ins_count, days[member_id])
            for member_id, found in (await profiles.get_many(session, member_ids)).items()
        }

    def matches(self, parameters: CheckInParameters, fact: CheckInFact | None, now: datetime) -> bool:
        """The same in plain Python."""
        known = fact or CheckInFact()
        last_on = known.last_on or date.min
        tests = []
        if parameters.streak_at_least is not None:
            tests += [known.streak >= parameters.streak_at_least, last_on >= _ago(now, 1)]
        if parameters.within_days is not None:
            tests.append(last_on >= _ago(now, parameters.within_days))
        if parameters.not_within_days is not None:
            tests.append(last_on < _ago(now, parameters.not_within_days))
        if parameters.times_at_least is not None:
            times = known.total
            if parameters.times_within_days is not None:
                times = sum(day > _ago(now, parameters.times_within_days) for day in known.days)
            tests.append(times >= parameters.times_at_least)
        return all(tests)


def _ago(now: datetime, days: int) -> date:
    return now.astimezone(UTC).date() - timedelta(days=days)


def _often(parameters: CheckInParameters, now: datetime) -> sa.Select[tuple[int]]:
    assert parameters.times_within_days is not None
    return (
        sa.select(check_ins.c.member_id)
        .where(check_ins.c.local_date > _ago(now, parameters.times_within_days))
        .group_by(check_ins.c.member_id)
        .having(sa.func.count() >= parameters.times_at_least)
    )


check_in = CheckInCondition()
