"""The contract of a segment condition; each lives with its owner in `crm/<capability>/conditions/`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Annotated, Any, Protocol, runtime_checkable

from pydantic import BaseModel, ConfigDict, WithJsonSchema
from sqlalchemy import ColumnElement, FromClause
from sqlalchemy.ext.asyncio import AsyncSession


class Parameters(BaseModel):
    """Base of a condition's or a rule's parameters: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


_TIME_OF_DAY = r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?$"
TimeOfDay = Annotated[time, WithJsonSchema({"type": "string", "pattern": _TIME_OF_DAY, "examples": ["10:00"]})]
"""On somebody's own clock, without an offset, which `format: time` of a JSON Schema would ask for."""


@dataclass(frozen=True)
class Scope:
    """What a predicate may refer to: the profile row of the member in question, and the time of asking."""

    profile: FromClause
    now: datetime

    @property
    def member_id(self) -> ColumnElement[int]:
        """The id of the member in question."""
        return self.profile.c.member_id


@runtime_checkable
class Condition(Protocol):
    """A leaf of a segment's rule, in SQL and in plain Python, which must agree."""

    name: str
    """Stable name in rules, e.g. `tag`."""
    label: str
    """English label for the console; translated there."""
    group: str
    """Heading under which the console lists it, e.g. `Loyalty`."""

    @property
    def parameters(self) -> type[Parameters]:
        """Model of the parameters; its JSON schema makes the console's form. A class attribute will do."""
        ...

    def predicate(self, parameters: Any, scope: Scope) -> ColumnElement[bool]:
        """SQL in set form: `scope.member_id.in_(select(...))` or a test on profile columns.

        Never correlated, and never NULL (wrap nullable comparisons), because it may stand under `not`.
        """
        ...

    async def facts(self, session: AsyncSession, member_ids: Sequence[int]) -> Mapping[int, Any]:
        """What the plain evaluator needs to know of each member; members without facts may be left out."""
        ...

    def matches(self, parameters: Any, fact: Any | None, now: datetime) -> bool:
        """The plain evaluation for one member, given its fact (None when there is none)."""
        ...
