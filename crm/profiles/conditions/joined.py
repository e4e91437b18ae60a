"""Condition: when a member signed up."""

from datetime import datetime

from sqlalchemy import ColumnElement

from crm.kit.rules import Scope
from crm.kit.windows import Window
from crm.profiles.facts import ProfileFacts
from crm.profiles.types import Profile


class JoinedCondition(ProfileFacts):
    """Members who signed up, at any time or in a window."""

    name = "joined"
    label = "Signed up"
    group = "Member"
    parameters = Window

    def predicate(self, parameters: Window, scope: Scope) -> ColumnElement[bool]:
        """A test on the profile."""
        return parameters.holds(scope.profile.c.signed_up_at, scope.now)

    def matches(self, parameters: Window, fact: Profile | None, now: datetime) -> bool:
        """The same in plain Python."""
        return fact is not None and parameters.holds_for(fact.signed_up_at, now)


joined = JoinedCondition()
