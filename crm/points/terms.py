"""What any earning rule may add to its kind: for whom, when, how much more, at most how much, beside which others."""

import json
from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from crm.kit.rules import Parameters
from crm.points.types import MAX_POINTS
from crm.profiles.types import Stage

MAX_SOURCE = 500
"""Characters of a formula or a condition."""
MAX_SUM = 10**12
"""The most that a cap over all members can be."""
_MOST_CHOSEN = 50
Multiplier = Annotated[Decimal, Field(gt=0, le=100, max_digits=6, decimal_places=3)]
Key = Annotated[str, Field(min_length=1, max_length=100)]
Id = Annotated[int, Field(ge=1, le=2**31 - 1)]
Told = Annotated[str, Field(min_length=1, max_length=200)]
PerMember = Annotated[int | None, Field(ge=1, le=MAX_POINTS)]
OverAll = Annotated[int | None, Field(ge=1, le=MAX_SUM)]


class Over(StrEnum):
    """What becomes of points that go over a cap."""

    PARTIAL = "partial"
    REFUSE = "refuse"


class Stacking(StrEnum):
    """Which rules of a group give something for one event."""

    BEST = "best"
    FIRST = "first"


class BirthdayPeriod(StrEnum):
    """How long a birthday lasts."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


class Audience(Parameters):
    """Who can earn: every list that is not empty must fit, with any one of its entries."""

    stages: list[Stage] = Field([], max_length=len(Stage), description="Lifecycle stages.")
    grades: list[Key] = Field([], max_length=_MOST_CHOSEN, description="Value grades: high, medium, low.")
    tiers: list[Key] = Field([], max_length=_MOST_CHOSEN, description="Keys of tiers.")
    tag_ids: list[Id] = Field([], max_length=_MOST_CHOSEN, description="Tags.")
    segment_ids: list[Id] = Field(
        [], max_length=_MOST_CHOSEN, description="Segments; who is in them is looked through every five minutes."
    )


class Window(Parameters):
    """A time in which a rule gives more, in the brand's time zone; empty fields limit nothing."""

    multiplier: Multiplier = Field(Decimal(2), description="Times so many points.")
    weekdays: list[Annotated[int, Field(ge=1, le=7)]] = Field([], max_length=7, description="1 is Monday, 7 Sunday.")
    from_day: date | None = Field(None, description="First day.")
    until_day: date | None = Field(None, description="Last day.")
    from_time: time | None = Field(None, description="From this time of day on.")
    until_time: time | None = Field(None, description="Before this time of day; may lie after midnight.")

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if (self.from_time is None) != (self.until_time is None):
            raise ValueError("give from_time and until_time together, or neither")
        if self.from_time is not None and self.from_time == self.until_time:
            raise ValueError("from_time and until_time are the same, so the window would never be open")
        if any(moment is not None and moment.tzinfo is not None for moment in (self.from_time, self.until_time)):
            raise ValueError("times of day are the brand's own, without an offset")
        if self.from_day is not None and self.until_day is not None and self.until_day < self.from_day:
            raise ValueError("until_day lies before from_day")
        if not (self.weekdays or self.from_day or self.until_day or self.from_time):
            raise ValueError("a window needs weekdays, days or times; without any, change the points instead")
        return self


class Caps(Parameters):
    """The most that a rule gives, in days, weeks (from Monday) and months of the brand's time zone."""

    member_day: PerMember = Field(None, description="Points a day for each member.")
    member_week: PerMember = Field(None, description="Points a week for each member.")
    member_month: PerMember = Field(None, description="Points a month for each member.")
    member_ever: PerMember = Field(None, description="Points for each member, ever.")
    rule_month: OverAll = Field(None, description="Budget: points a month for all members together.")
    rule_ever: OverAll = Field(None, description="Budget: points for all members together, ever.")
    over: Over = Field(Over.PARTIAL, description="What goes over: give what is left (partial), or nothing (refuse).")

    @property
    def is_set(self) -> bool:
        """Whether anything is limited."""
        return any(value is not None for name, value in self if name != "over")


class Terms(Parameters):
    """Everything beside the kind's own parameters. All empty: the rule gives what its kind says."""

    when: str = Field("", max_length=MAX_SOURCE, description="Condition in CEL; empty: always.")
    formula: str = Field("", max_length=MAX_SOURCE, description="Points in CEL; empty: what the kind says.")
    audience: Audience = Audience()
    uses_tier: bool = Field(False, description="Times the multiplier of the member's tier.")
    tier_multipliers: dict[Key, Multiplier] = Field(
        {}, max_length=_MOST_CHOSEN, description="Times this, by key of the tier; instead of the tier's own."
    )
    birthday_multiplier: Multiplier | None = Field(None, description="Times this around the member's birthday.")
    birthday_period: BirthdayPeriod = Field(BirthdayPeriod.DAY, description="How long the birthday lasts.")
    windows: list[Window] = Field([], max_length=20, description="Times that give more; the largest counts.")
    only_in_windows: bool = Field(False, description="Outside of the windows it gives nothing.")
    caps: Caps = Caps()
    is_once: bool = Field(False, description="Once for each member, ever.")
    priority: int = Field(0, ge=-1000, le=1000, description="Higher ones come first.")
    told: dict[Key, Told] = Field(
        {}, max_length=20, description="What members read, by language (en, zh-CN); a formula is told only so."
    )
    group: str = Field("", max_length=50, description="Of the rules with this name only one gives something.")
    stacking: Stacking = Field(Stacking.BEST, description="Which one: the best, or the first by priority.")

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.only_in_windows and not self.windows:
            raise ValueError("only_in_windows needs at least one window")
        if self.uses_tier and self.tier_multipliers:
            raise ValueError("choose uses_tier or tier_multipliers, not both")
        return self


NONE = Terms()


def terms_of(row: Mapping[str, Any]) -> Terms:
    """The terms in a rule's row, which were checked when it was saved."""
    return _parsed(json.dumps(row)) if row else NONE


def stored(terms: Terms) -> dict[str, Any]:
    """As the row keeps them: only what was set, as JSON values."""
    return terms.model_dump(mode="json", exclude_defaults=True)


@lru_cache(maxsize=1024)
def _parsed(written: str) -> Terms:
    return Terms.model_validate_json(written)
