"""Condition: consent to a topic."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from pydantic import Field
from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession

from crm.consent.views import current
from crm.kit.rules import Parameters, Scope


class ConsentParameters(Parameters):
    """A topic, and perhaps a channel."""

    topic: str = Field(default="news", pattern=r"^[a-z][a-z0-9_]{0,62}$", title="Topic")
    channel: str | None = Field(default=None, min_length=1, max_length=64, title="Channel")


class ConsentCondition:
    """Members who agreed to a topic, on a channel or on any; for the others put it under `not`."""

    name = "consent"
    label = "Agreed to"
    group = "Channels"
    parameters = ConsentParameters

    def predicate(self, parameters: ConsentParameters, scope: Scope) -> ColumnElement[bool]:
        """A semi-join with the current decisions."""
        given = sa.select(current.c.member_id).where(current.c.is_given, current.c.topic == parameters.topic)
        if parameters.channel is not None:
            given = given.where(current.c.channel == parameters.channel)
        return scope.member_id.in_(given)

    async def facts(self, session: AsyncSession, member_ids: Sequence[int]) -> Mapping[int, set[tuple[str, str]]]:
        """(topic, channel) of each consent given, by member."""
        given = sa.select(current.c.member_id, current.c.topic, current.c.channel).where(current.c.is_given)
        found: dict[int, set[tuple[str, str]]] = defaultdict(set)
        for member_id, topic, channel in await session.execute(given.where(current.c.member_id.in_(member_ids))):
            found[member_id].add((topic, channel))
        return found

    def matches(self, parameters: ConsentParameters, fact: set[tuple[str, str]] | None, now: datetime) -> bool:
        """The same in plain Python."""
        del now
        return any(topic == parameters.topic and parameters.channel in {None, channel} for topic, channel in fact or ())


consent = ConsentCondition()
