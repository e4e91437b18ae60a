"""Condition: the language that a member reads."""

from datetime import datetime

from pydantic import Field
from sqlalchemy import ColumnElement

from crm.kit.rules import Parameters, Scope
from crm.profiles.facts import ProfileFacts
from crm.profiles.types import Profile


class LanguageParameters(Parameters):
    """A language."""

    locale: str = Field(min_length=2, max_length=16, title="Language", examples=["zh-CN", "en"])


class LanguageCondition(ProfileFacts):
    """Members who read a language."""

    name = "language"
    label = "Language"
    group = "Member"
    parameters = LanguageParameters

    def predicate(self, parameters: LanguageParameters, scope: Scope) -> ColumnElement[bool]:
        """A test on the profile."""
        locale: ColumnElement[str] = scope.profile.c.locale
        return locale == parameters.locale

    def matches(self, parameters: LanguageParameters, fact: Profile | None, now: datetime) -> bool:
        """The same in plain Python."""
        del now
        return fact is not None and fact.locale == parameters.locale


language = LanguageCondition()
