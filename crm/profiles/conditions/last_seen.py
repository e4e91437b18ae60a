"""Condition: when a member last wrote or tapped."""

from datetime import datetime

from sqlalchemy import ColumnElement

from crm.kit.rules import Scope
from crm.kit.windows import Window
from crm.profiles.facts import ProfileFacts
from crm.profiles.types import Profile


class LastSeenCondition(ProfileFacts):
    """Members who were last heard of in a window; who never wrote is in none."""

    name = "last_seen"
    label = "Last seen"
    group = "Activity"
    parameters = Window

    def predicate(self, parameters: Window, scope: Scope) -> ColumnElement[bool]:
        """A test on the profile."""
        return parameters.holds(scope.profile.c.last_seen_at, scope.now)

    def matches(self, parameters: Window, fact: Profile | None, now: datetime) -> bool:
        """The same in plain Python."""
        return fact is not None and parameters.holds_for(fact.last_seen_at, now)


last_seen = LastSeenCondition()
