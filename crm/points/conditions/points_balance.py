"""Condition: how many points a member has."""

from datetime import datetime
from typing import Self

import sqlalchemy as sa
from pydantic import Field, model_validator
from sqlalchemy import ColumnElement

from crm.kit.rules import Parameters, Scope
from crm.profiles.facts import ProfileFacts
from crm.profiles.types import Profile

_MOST = 10**15


class PointsBalanceParameters(Parameters):
    """Bounds of the balance, both included."""

    at_least: int | None = Field(default=None, ge=0, le=_MOST, title="At least")
    at_most: int | None = Field(default=None, ge=0, le=_MOST, title="At most")

    @model_validator(mode="after")
    def _some_bound(self) -> Self:
        if self.at_least is None and self.at_most is None:
            raise ValueError("give at_least or at_most")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError("at_least is more than at_most, so nobody could match")
        return self


class PointsBalanceCondition(ProfileFacts):
    """Members by their points."""

    name = "points_balance"
    label = "Points balance"
    group = "Loyalty"
    parameters = PointsBalanceParameters

    def predicate(self, parameters: PointsBalanceParameters, scope: Scope) -> ColumnElement[bool]:
        """A test on the profile."""
        balance = scope.profile.c.points_balance
        tests = [] if parameters.at_least is None else [balance >= parameters.at_least]
        tests += [] if parameters.at_most is None else [balance <= parameters.at_most]
        return sa.and_(*tests)

    def matches(self, parameters: PointsBalanceParameters, fact: Profile | None, now: datetime) -> bool:
        """The same in plain Python."""
        del now
        if fact is None or (parameters.at_least is not None and fact.points_balance < parameters.at_least):
            return False
        return parameters.at_most is None or fact.points_balance <= parameters.at_most


points_balance = PointsBalanceCondition()
