"""What starts a journey: the kinds of trigger, what they check of themselves, and what texts may say of the cause."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Annotated, Any, Literal, Self, get_origin, get_type_hints

from pydantic import Field, TypeAdapter, model_validator

from crm.events.catalogue import CATALOGUE
from crm.kit.rules import Parameters, TimeOfDay

FIRST_HOUR = time(10)
"""When members are written to, unless said otherwise: by their own clock."""
_MOST = 5
Key = Annotated[str, Field(min_length=1, max_length=60)]
Plain = bool | int | Annotated[str, Field(max_length=200)]
_OURS = frozenset({"journey_entered", "journey_ended"})
"""What journeys themselves announce: they would start one another for ever."""
_ECHOES = frozenset({"points_earned", "points_pending", "voucher_issued"})
"""What a journey may bring about by its own gifts."""


class SignedUpTrigger(Parameters):
    """When a member signs up."""

    kind: Literal["member_signed_up"] = "member_signed_up"


class NotCheckedInTrigger(Parameters):
    """When a signed-up member has not checked in for a number of days."""

    kind: Literal["not_checked_in"] = "not_checked_in"
    days: int = Field(ge=1, le=365, description="Whole local days without a check-in.")


class EventTrigger(Parameters):
    """When something is recorded of a member; each time anew, unless `rest_days` says otherwise."""

    kind: Literal["event"] = "event"
    event: str = Field(description="Kind of event, such as points_expiring; see the list of events.")
    where: dict[Key, Plain] = Field({}, max_length=_MOST, description="Fields of the event that must say just this.")
    at_least: dict[Key, int] = Field({}, max_length=_MOST, description="Fields that must be this number or more.")
    rest_days: int = Field(0, ge=0, le=365, description="Not again within so many days after the member entered.")

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        known = CATALOGUE.get(self.event)
        if known is None or self.event in _OURS:
            raise ValueError(f"journeys do not start with an event {self.event[:60]!r}; see the list of events")
        own = field_names(self.event)
        for name in [*self.where, *self.at_least]:
            if name not in own:
                raise ValueError(f"{self.event} has no field {name!r} to ask for; it has {', '.join(own) or 'none'}")
        if self.event in _ECHOES and not self.rest_days:
            raise ValueError(f"a journey may itself lead to {self.event}: let it rest for a day at least (rest_days)")
        return self

    def fits(self, data: Mapping[str, Any]) -> bool:
        """Whether the event says what is asked for."""
        same = all(str(data.get(name)) == str(wanted) for name, wanted in self.where.items())
        return same and all(_reaches(data.get(name), least) for name, least in self.at_least.items())


class DateProperty(StrEnum):
    """A day of the member's own that comes back every year."""

    BIRTHDAY = "birthday"
    """One of 29 February is kept on the 28th in years without it."""
    SIGN_UP = "sign_up"
    """From the first year on."""


class DateTrigger(Parameters):
    """Once a year, some days before or after a day of the member's own."""

    kind: Literal["date"] = "date"
    date: DateProperty
    offset_days: int = Field(0, ge=-60, le=60, description="Days after that day; below zero: before it.")
    at: TimeOfDay = Field(FIRST_HOUR, description="From this time of day on, by the member's own clock.")

    @model_validator(mode="after")
    def _is_local(self) -> Self:
        if self.at.tzinfo is not None:
            raise ValueError("the time of day is the member's own, without an offset")
        return self


Trigger = Annotated[SignedUpTrigger | NotCheckedInTrigger | EventTrigger | DateTrigger, Field(discriminator="kind")]
AnyTrigger = SignedUpTrigger | NotCheckedInTrigger | EventTrigger | DateTrigger
TRIGGER: TypeAdapter[AnyTrigger] = TypeAdapter(Trigger)
_MORE: Mapping[str, Mapping[str, Any]] = {
    "points_expiring": {},
    "voucher_expiring": {"coupon": {"en": "Ten off", "zh-CN": "立减十元"}},
    "tier_at_risk": {
        "tier_name": {"en": "Gold", "zh-CN": "金卡"},
        "next_tier_name": {"en": "Silver", "zh-CN": "银卡"},
    },
}
"""What is looked up beside the event's own fields, with a sample."""


def field_names(event: str) -> list[str]:
    """Names of the fields of an event that hold one plain value."""
    return list(_plain_fields(event))


def samples(trigger: AnyTrigger) -> dict[str, Any]:
    """What `trigger.…` holds in texts of this trigger's journey, with made-up values."""
    if isinstance(trigger, DateTrigger):
        found: dict[str, Any] = {"on": "2026-05-01"}
        return {**found, "years": 1} if trigger.date is DateProperty.SIGN_UP else found
    if isinstance(trigger, EventTrigger):
        return {**_plain_fields(trigger.event), **_MORE.get(trigger.event, {})}
    return {}


def every_sample() -> dict[str, Any]:
    """What any trigger's texts might say: for looking at a text whose trigger is not chosen yet."""
    found = {name: value for event in CATALOGUE for name, value in _plain_fields(event).items()}
    for event, more in _MORE.items():
        found |= {**_plain_fields(event), **more}
    return {**found, "on": "2026-05-01", "years": 1}


def _plain_fields(event: str) -> dict[str, Any]:
    hints = get_type_hints(CATALOGUE[event])
    named = [item.name for item in fields(CATALOGUE[event]) if item.name != "member_id"]
    return {name: _sample(hints[name]) for name in named if get_origin(hints[name]) not in {list, dict}}


def _sample(hint: Any) -> Any:
    kinds: dict[str, Any] = {"int": 7, "bool": True, "Decimal": "7", "datetime": "2026-05-01T00:00:00+00:00"}
    written = getattr(hint, "__name__", str(hint))
    for name in (int, bool, Decimal, datetime, date):
        if hint is name or name.__name__ in str(hint).replace("|", " ").split():
            return kinds.get(name.__name__, "2026-05-01")
    return f"({written})" if written == "UUID" else "…"


def _reaches(value: Any, least: int) -> bool:
    try:
        return not isinstance(value, bool) and value is not None and Decimal(str(value)) >= least
    except InvalidOperation:
        return False
