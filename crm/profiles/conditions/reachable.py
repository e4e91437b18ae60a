"""Condition: whether any channel account of a member can be reached."""

from datetime import datetime

from pydantic import Field
from sqlalchemy import ColumnElement

from crm.kit.rules import Parameters, Scope
from crm.profiles.facts import ProfileFacts
from crm.profiles.types import Profile


class ReachableParameters(Parameters):
    """Reachable or not."""

    is_reachable: bool = Field(default=True, title="Reachable")


class ReachableCondition(ProfileFacts):
    """Members whom a message reaches on some channel."""

    name = "reachable"
    label = "Reachable"
    group = "Channels"
    parameters = ReachableParameters

    def predicate(self, parameters: ReachableParameters, scope: Scope) -> ColumnElement[bool]:
        """A test on the profile."""
        is_reachable: ColumnElement[bool] = scope.profile.c.is_reachable
        return is_reachable.is_(parameters.is_reachable)

    def matches(self, parameters: ReachableParameters, fact: Profile | None, now: datetime) -> bool:
        """The same in plain Python."""
        del now
        return fact is not None and fact.is_reachable is parameters.is_reachable


reachable = ReachableCondition()
