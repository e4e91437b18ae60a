"""Condition: the tier, since when, and whether it is at risk."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated

import sqlalchemy as sa
from pydantic import Field, StringConstraints
from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession

from crm.kit.rules import Parameters, Scope
from crm.kit.windows import Days
from crm.tiers.views import standings

Held = tuple[str | None, datetime | None, datetime | None]
"""Tier, since when, and when it is lost if it is at risk."""
Key = Annotated[str, StringConstraints(min_length=1, max_length=30)]


class TierParameters(Parameters):
    """Some tiers, or any; in it for some days; at risk or safe."""

    tiers: list[Key] = Field(default_factory=list, max_length=20, title="Tiers", description="Keys; empty: any tier.")
    since_days: Days | None = Field(default=None, title="For at least … days")
    is_at_risk: bool | None = Field(default=None, title="At risk", description="Of losing it soon; empty: either.")


class TierCondition:
    """Members who have one of some tiers."""

    name = "tier"
    label = "Tier"
    group = "Loyalty"
    parameters = TierParameters

    def predicate(self, parameters: TierParameters, scope: Scope) -> ColumnElement[bool]:
        """A semi-join with standings."""
        query = sa.select(standings.c.member_id).where(standings.c.tier.is_not(None))
        if parameters.tiers:
            query = query.where(standings.c.tier.in_(parameters.tiers))
        if parameters.since_days is not None:
            query = query.where(standings.c.since <= scope.now - timedelta(days=parameters.since_days))
        if parameters.is_at_risk is not None:
            is_at_risk = standings.c.risk_ends_at.is_not(None)
            query = query.where(is_at_risk if parameters.is_at_risk else sa.not_(is_at_risk))
        return scope.member_id.in_(query)

    async def facts(self, session: AsyncSession, member_ids: Sequence[int]) -> Mapping[int, Held]:
        """The standing of each member."""
        columns = (standings.c.member_id, standings.c.tier, standings.c.since, standings.c.risk_ends_at)
        rows = await session.execute(sa.select(*columns).where(standings.c.member_id.in_(member_ids)))
        return {row.member_id: (row.tier, row.since, row.risk_ends_at) for row in rows}

    def matches(self, parameters: TierParameters, fact: Held | None, now: datetime) -> bool:
        """The same in plain Python."""
        tier, since, risk_ends_at = fact or (None, None, None)
        if tier is None or (parameters.tiers and tier not in parameters.tiers):
            return False
        days = parameters.since_days
        if days is not None and (since is None or since > now - timedelta(days=days)):
            return False
        return parameters.is_at_risk is None or parameters.is_at_risk == (risk_ends_at is not None)


tier = TierCondition()
"""The one of this module."""
