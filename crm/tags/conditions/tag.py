"""Condition: a tag, and since when the member carries it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from pydantic import Field, field_validator
from sqlalchemy import ColumnElement
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from crm.kit.rules import Scope
from crm.kit.windows import Window
from crm.tags import policy
from crm.tags.errors import InvalidTag
from crm.tags.views import member_tags, tags


class TagParameters(Window):
    """A tag as `group:name` or `name`, and perhaps when it was added."""

    tag: str = Field(min_length=1, max_length=200, title="Tag", examples=["taste:oolong"])

    @field_validator("tag")
    @classmethod
    def _normal(cls, tag: str) -> str:
        try:
            return policy.label(*policy.parse(tag))
        except InvalidTag as error:
            raise ValueError(error.detail) from error


class TagCondition:
    """Members who carry a tag."""

    name = "tag"
    label = "Tag"
    group = "Member"
    parameters = TagParameters

    def predicate(self, parameters: TagParameters, scope: Scope) -> ColumnElement[bool]:
        """An array test on the profile; when the time of adding matters, a semi-join."""
        group, name = policy.parse(parameters.tag)
        wanted = sa.select(tags.c.id).where(tags.c.group_name == group, tags.c.name == name)
        if parameters.within_days is None and parameters.more_than_days_ago is None:
            ids = sa.func.array(wanted.scalar_subquery(), type_=ARRAY(sa.Integer))
            carried: ColumnElement[bool] = scope.profile.c.tag_ids.bool_op("&&")(ids)
            return carried
        carriers = sa.select(member_tags.c.member_id).where(
            member_tags.c.tag_id.in_(wanted), parameters.holds(member_tags.c.added_at, scope.now)
        )
        return scope.member_id.in_(carriers)

    async def facts(self, session: AsyncSession, member_ids: Sequence[int]) -> Mapping[int, Mapping[str, datetime]]:
        """When each tag was added, by member."""
        columns = (member_tags.c.member_id, tags.c.group_name, tags.c.name, member_tags.c.added_at)
        query = sa.select(*columns).join_from(member_tags, tags, tags.c.id == member_tags.c.tag_id)
        found: dict[int, dict[str, datetime]] = defaultdict(dict)
        for member_id, group, name, added_at in await session.execute(
            query.where(member_tags.c.member_id.in_(member_ids))
        ):
            found[member_id][policy.label(group, name)] = added_at
        return found

    def matches(self, parameters: TagParameters, fact: Mapping[str, datetime] | None, now: datetime) -> bool:
        """The same in plain Python."""
        return parameters.holds_for((fact or {}).get(parameters.tag), now)


tag = TagCondition()
