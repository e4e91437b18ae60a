"""Condition: the source that a member came through."""

from datetime import datetime
from typing import Literal

import sqlalchemy as sa
from pydantic import Field
from sqlalchemy import ColumnElement

from crm.kit.rules import Parameters, Scope
from crm.profiles.facts import ProfileFacts
from crm.profiles.types import Profile


class SourceParameters(Parameters):
    """A source, and whether it was the first or the last touch."""

    source_id: int = Field(ge=1, lt=2**63, title="Source")
    touch: Literal["first", "last", "either"] = Field(default="either", title="Touch")


class SourceCondition(ProfileFacts):
    """Members who came through a source first, last, or either."""

    name = "source"
    label = "Came through"
    group = "Member"
    parameters = SourceParameters

    def predicate(self, parameters: SourceParameters, scope: Scope) -> ColumnElement[bool]:
        """A test on the profile."""
        columns = {"first": scope.profile.c.first_source_id, "last": scope.profile.c.last_source_id}
        asked = [column for touch, column in columns.items() if parameters.touch in {touch, "either"}]
        return sa.or_(*(sa.func.coalesce(column == parameters.source_id, sa.false()) for column in asked))

    def matches(self, parameters: SourceParameters, fact: Profile | None, now: datetime) -> bool:
        """The same in plain Python."""
        del now
        if fact is None:
            return False
        touches = {"first": fact.first_source_id, "last": fact.last_source_id}
        asked = touches.values() if parameters.touch == "either" else [touches[parameters.touch]]
        return parameters.source_id in asked


source = SourceCondition()
