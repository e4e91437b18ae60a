"""Condition: how many friends a member brought."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from pydantic import Field
from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession

from crm.kit.rules import Parameters, Scope
from crm.referrals.types import Status
from crm.referrals.views import referrals as invited

MOST = 1_000_000
Brought = tuple[int, int]
"""Friends who came, and those of them who qualified."""


class ReferralsParameters(Parameters):
    """At least so many friends."""

    at_least: int = Field(default=1, ge=1, le=MOST, title="Friends at least")
    qualified: bool = Field(default=True, title="Only those who qualified")


class ReferralsCondition:
    """Members by the friends who came through their personal link; refused and voided referrals count as came."""

    name = "referrals"
    label = "Friends invited"
    group = "Loyalty"
    parameters = ReferralsParameters

    def predicate(self, parameters: ReferralsParameters, scope: Scope) -> ColumnElement[bool]:
        """A semi-join with referrals, counted by referrer."""
        query = sa.select(invited.c.referrer_id)
        if parameters.qualified:
            query = query.where(invited.c.status == Status.QUALIFIED.value)
        query = query.group_by(invited.c.referrer_id).having(sa.func.count() >= parameters.at_least)
        return scope.member_id.in_(query)

    async def facts(self, session: AsyncSession, member_ids: Sequence[int]) -> Mapping[int, Brought]:
        """How many came and qualified."""
        found: dict[int, Brought] = defaultdict(lambda: (0, 0))
        qualified = sa.func.count().filter(invited.c.status == Status.QUALIFIED.value)
        query = sa.select(invited.c.referrer_id, sa.func.count(), qualified)
        query = query.where(invited.c.referrer_id.in_(member_ids)).group_by(invited.c.referrer_id)
        for referrer_id, came, done in await session.execute(query):
            found[referrer_id] = (came, done)
        return found

    def matches(self, parameters: ReferralsParameters, fact: Brought | None, now: datetime) -> bool:
        """The same in plain Python."""
        del now
        came, done = fact or (0, 0)
        return (done if parameters.qualified else came) >= parameters.at_least


referrals = ReferralsCondition()
