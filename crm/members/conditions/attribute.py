"""Condition: an attribute that operators defined; personal ones are sealed and cannot be asked for."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Self

import sqlalchemy as sa
from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr, model_validator
from sqlalchemy import ColumnElement
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from crm.kit.rules import Parameters, Scope
from crm.members.views import members

Figure = Annotated[Decimal, Field(ge=-(10**15), le=10**15, decimal_places=6)]
"""A number that every database column and form can hold."""
_TESTS = ("equals", "contains", "at_least", "at_most", "is_set")


class AttributeParameters(Parameters):
    """An attribute's key and exactly one test."""

    key: str = Field(pattern=r"^[a-z][a-z0-9_]{0,62}$", title="Attribute")
    equals: StrictBool | StrictInt | StrictFloat | StrictStr | None = Field(default=None, title="Is exactly")
    contains: str | None = Field(default=None, min_length=1, max_length=200, title="Contains the text")
    at_least: Figure | date | None = Field(default=None, title="Is at least", union_mode="left_to_right")
    at_most: Figure | date | None = Field(default=None, title="Is at most", union_mode="left_to_right")
    is_set: bool | None = Field(default=None, title="Has any value")

    @model_validator(mode="after")
    def _one_test(self) -> Self:
        if len([name for name in _TESTS if getattr(self, name) is not None]) != 1:
            raise ValueError(f"give exactly one of {', '.join(_TESTS)}")
        for text in (self.equals, self.contains):
            if isinstance(text, str) and "\x00" in text:
                raise ValueError("a text cannot have NUL in it")
        return self


class AttributeCondition:
    """Members whose attribute passes a test."""

    name = "attribute"
    label = "Attribute"
    group = "Member"
    parameters = AttributeParameters

    def predicate(self, parameters: AttributeParameters, scope: Scope) -> ColumnElement[bool]:
        """A semi-join with members."""
        owners = sa.select(members.c.id).where(_test(parameters))
        return scope.member_id.not_in(owners) if parameters.is_set is False else scope.member_id.in_(owners)

    async def facts(self, session: AsyncSession, member_ids: Sequence[int]) -> Mapping[int, Mapping[str, Any]]:
        """The attributes of each member."""
        rows = await session.execute(sa.select(members.c.id, members.c.attributes).where(members.c.id.in_(member_ids)))
        return {row.id: row.attributes for row in rows}

    def matches(self, parameters: AttributeParameters, fact: Mapping[str, Any] | None, now: datetime) -> bool:
        """The same in plain Python."""
        del now
        value = (fact or {}).get(parameters.key)
        if parameters.is_set is not None:
            return parameters.is_set is (value is not None)
        if parameters.equals is not None:
            is_same_kind = isinstance(value, bool) is isinstance(parameters.equals, bool)
            return is_same_kind and bool(value == parameters.equals)
        if parameters.contains is not None:
            return isinstance(value, str) and parameters.contains in value
        return _is_within(parameters, value)


def _test(parameters: AttributeParameters) -> ColumnElement[bool]:
    attributes: ColumnElement[Any] = members.c.attributes
    value = attributes.op("->")(parameters.key)
    if parameters.equals is not None:
        wanted = sa.cast({parameters.key: parameters.equals}, JSONB)
        return attributes.bool_op("@>")(wanted)
    if parameters.is_set is not None:
        return value.is_not(None)
    text = attributes.op("->>", return_type=sa.Text())(parameters.key)
    if parameters.contains is not None:
        found = sa.func.strpos(text, parameters.contains) > 0
        return sa.case((sa.func.jsonb_typeof(value) == "string", found), else_=sa.false())
    return _bound(parameters, value, text)


def _bound(parameters: AttributeParameters, value: ColumnElement[Any], text: ColumnElement[Any]) -> ColumnElement[bool]:
    """A number compares with numbers, a date with ISO dates, which sort as text in the C collation."""
    bound = parameters.at_least if parameters.at_least is not None else parameters.at_most
    is_date = isinstance(bound, date)
    compared = sa.collate(text, "C") if is_date else sa.cast(text, sa.Numeric)
    limit = bound.isoformat() if isinstance(bound, date) else bound
    within = compared >= limit if parameters.at_least is not None else compared <= limit
    kind = "string" if is_date else "number"
    return sa.case((sa.func.jsonb_typeof(value) == kind, within), else_=sa.false())


def _is_within(parameters: AttributeParameters, value: Any) -> bool:
    bound = parameters.at_least if parameters.at_least is not None else parameters.at_most
    if isinstance(bound, date):
        return isinstance(value, str) and _compare(parameters, value, bound.isoformat())
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return _compare(parameters, Decimal(str(value)), bound)


def _compare(parameters: AttributeParameters, value: Any, bound: Any) -> bool:
    return bool(value >= bound if parameters.at_least is not None else value <= bound)


attribute = AttributeCondition()
