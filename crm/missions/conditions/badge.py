"""Condition: whether a member has a badge."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from pydantic import Field
from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession

from crm.kit.rules import Parameters, Scope
from crm.missions.views import badges


class BadgeParameters(Parameters):
    """One badge, or any."""

    badge_id: int | None = Field(default=None, ge=1, le=2**62, title="Badge", description="Number; empty: any.")


class BadgeCondition:
    """Members who have a badge."""

    name = "badge"
    label = "Badge"
    group = "Loyalty"
    parameters = BadgeParameters

    def predicate(self, parameters: BadgeParameters, scope: Scope) -> ColumnElement[bool]:
        """A semi-join with the badges that members have."""
        query = sa.select(badges.c.member_id)
        if parameters.badge_id is not None:
            query = query.where(badges.c.badge_id == parameters.badge_id)
        return scope.member_id.in_(query)

    async def facts(self, session: AsyncSession, member_ids: Sequence[int]) -> Mapping[int, list[int]]:
        """The badges of each member."""
        found: dict[int, list[int]] = defaultdict(list)
        query = sa.select(badges.c.member_id, badges.c.badge_id).where(badges.c.member_id.in_(member_ids))
        for row in await session.execute(query):
            found[row.member_id].append(row.badge_id)
        return found

    def matches(self, parameters: BadgeParameters, fact: list[int] | None, now: datetime) -> bool:
        """The same in plain Python."""
        del now
        return bool(fact) if parameters.badge_id is None else parameters.badge_id in (fact or [])


badge = BadgeCondition()
