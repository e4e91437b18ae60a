"""Condition: the lifecycle stage."""

from datetime import datetime

from pydantic import Field
from sqlalchemy import ColumnElement

from crm.kit.rules import Parameters, Scope
from crm.profiles.facts import ProfileFacts
from crm.profiles.types import Profile, Stage


class StageParameters(Parameters):
    """One of these stages."""

    stages: list[Stage] = Field(min_length=1, max_length=len(Stage), title="Stages")


class StageCondition(ProfileFacts):
    """Members in one of some stages."""

    name = "stage"
    label = "Lifecycle stage"
    group = "Member"
    parameters = StageParameters

    def predicate(self, parameters: StageParameters, scope: Scope) -> ColumnElement[bool]:
        """A test on the profile."""
        stage: ColumnElement[str] = scope.profile.c.stage
        return stage.in_([str(item) for item in parameters.stages])

    def matches(self, parameters: StageParameters, fact: Profile | None, now: datetime) -> bool:
        """The same in plain Python."""
        del now
        return fact is not None and fact.stage in parameters.stages


stage = StageCondition()
