"""Condition: a channel that a member can be met on."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from pydantic import Field
from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession

from crm.kit.rules import Parameters, Scope
from crm.members.views import identities


class ChannelParameters(Parameters):
    """A channel, and perhaps whether messages arrive there."""

    channel: str = Field(min_length=1, max_length=64, title="Channel", examples=["telegram", "webchat"])
    is_reachable: bool | None = Field(default=None, title="Reachable there")


class ChannelCondition:
    """Members with an account on a channel."""

    name = "channel"
    label = "Channel"
    group = "Channels"
    parameters = ChannelParameters

    def predicate(self, parameters: ChannelParameters, scope: Scope) -> ColumnElement[bool]:
        """A semi-join with identities."""
        owners = sa.select(identities.c.member_id).where(identities.c.channel == parameters.channel)
        if parameters.is_reachable is not None:
            owners = owners.where(identities.c.is_reachable.is_(parameters.is_reachable))
        return scope.member_id.in_(owners)

    async def facts(self, session: AsyncSession, member_ids: Sequence[int]) -> Mapping[int, set[tuple[str, bool]]]:
        """(channel, is reachable) of each identity, by member."""
        columns = (identities.c.member_id, identities.c.channel, identities.c.is_reachable)
        found: dict[int, set[tuple[str, bool]]] = defaultdict(set)
        for member_id, channel, is_reachable in await session.execute(
            sa.select(*columns).where(identities.c.member_id.in_(member_ids))
        ):
            found[member_id].add((channel, is_reachable))
        return found

    def matches(self, parameters: ChannelParameters, fact: set[tuple[str, bool]] | None, now: datetime) -> bool:
        """The same in plain Python."""
        del now
        asked = {True, False} if parameters.is_reachable is None else {parameters.is_reachable}
        return any((parameters.channel, is_reachable) in (fact or ()) for is_reachable in asked)


channel = ChannelCondition()
