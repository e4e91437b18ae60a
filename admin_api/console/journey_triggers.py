"""What starts a journey, as fields of a form and in words."""

from collections.abc import Mapping
from datetime import time
from typing import Any

from pydantic import ValidationError

from admin_api.console import typed
from admin_api.console.pages import say
from admin_api.edge import Edge
from crm.events.ahead import DAYS
from crm.events.catalogue import CATALOGUE
from crm.journeys.errors import GraphProblem, InvalidJourneyError
from crm.journeys.triggers import (
    AnyTrigger,
    DateProperty,
    DateTrigger,
    EventTrigger,
    NotCheckedInTrigger,
    SignedUpTrigger,
)
from crm.kit.errors import InvalidError

_MOST_DAYS = 365
_AHEAD = {"points_expiring", "voucher_expiring"}
_BY_NAME = {*_AHEAD, "tier_at_risk"}
"""Events with an entry of their own in the list of triggers; all others are chosen by their kind."""
_SIGNED_UP, _QUIET, _EVENT = "member_signed_up", "not_checked_in", "event"
_YEARLY = {"birthday": DateProperty.BIRTHDAY, "anniversary": DateProperty.SIGN_UP}
_NOT_OFFERED = frozenset({"journey_entered", "journey_ended", "broadcast_paused", "broadcast_finished"})


class UnknownTriggerError(InvalidError):
    """Choose what starts the journey."""


class QuietDaysError(InvalidError):
    """Say after how many days without a check-in it starts: 1 to 365."""


class TimeOfDayError(InvalidError):
    """A time of day looks like 10:00."""


class FieldsError(InvalidError):
    """Fields of the event look like tag=tea, days=7 or amount>=100."""


def trigger_of(form: Mapping[str, str]) -> AnyTrigger:
    """The trigger that was chosen. Raises what is wrong with it."""
    name = form["trigger"]
    if name == _SIGNED_UP:
        return SignedUpTrigger()
    if name == _QUIET:
        days = typed.whole(form["quiet_days"])
        if not 1 <= days <= _MOST_DAYS:
            raise QuietDaysError
        return NotCheckedInTrigger(days=days)
    try:
        return _recurring(form, name)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        path = ".".join(["trigger", *map(str, fault["loc"])])
        raise InvalidJourneyError([GraphProblem(path, fault["msg"].removeprefix("Value error, "))]) from error


def fields_of(trigger: AnyTrigger) -> dict[str, Any]:
    """The same as fields of the form."""
    match trigger:
        case SignedUpTrigger():
            return {"trigger": _SIGNED_UP}
        case NotCheckedInTrigger():
            return {"trigger": _QUIET, "quiet_days": trigger.days}
        case DateTrigger():
            name = next(key for key, value in _YEARLY.items() if value is trigger.date)
            return {"trigger": name, "date_offset": trigger.offset_days or "", "date_at": f"{trigger.at:%H:%M}"}
        case EventTrigger():
            rest = {"rest_days": trigger.rest_days or ""}
            if trigger.event in _AHEAD and set(trigger.where) == {"days"} and not trigger.at_least:
                return {"trigger": trigger.event, "ahead_days": trigger.where["days"], **rest}
            if trigger.event not in _AHEAD and trigger.event in _BY_NAME and not trigger.where and not trigger.at_least:
                return {"trigger": trigger.event, **rest}
            return {"trigger": _EVENT, "event": trigger.event, "event_where": _conditions(trigger), **rest}


def words(edge: Edge, trigger: AnyTrigger) -> str:
    """What starts it, in a line."""
    match trigger:
        case SignedUpTrigger():
            return say(edge, "A member signs up")
        case NotCheckedInTrigger():
            return say(edge, "No check-in for {days} days").replace("{days}", str(trigger.days))
        case DateTrigger():
            return _yearly_words(edge, trigger)
        case EventTrigger():
            title = say(edge, CATALOGUE[trigger.event].title)
            if trigger.event in _AHEAD and set(trigger.where) == {"days"} and not trigger.at_least:
                return _ahead_words(edge, title, int(trigger.where["days"]))
            asked = _conditions(trigger)
            return f"{title} · {asked}" if asked else title


def offered(edge: Edge) -> dict[str, Any]:
    """What the form offers to choose from."""
    named = [
        (_SIGNED_UP, "A member signs up", "From the moment at which the journey is active."),
        (_QUIET, "A member goes quiet", "Has signed up, and not checked in for some days."),
        ("birthday", "Birthday", "Every year; one of 29 February is kept on the 28th in years without it."),
        ("anniversary", "Anniversary of signing up", "Every year, from the first one on."),
        ("points_expiring", "Points run out soon", "30, 7 or 1 days before, all points of a day together."),
        ("voucher_expiring", "Voucher runs out soon", "30, 7 or 1 days before, each voucher by itself."),
        ("tier_at_risk", "Tier at risk", "Once when a tier will be lost; the programme of tiers says how early."),
        (_EVENT, "Something else happens", "Any kind of event that is recorded of members."),
    ]
    kinds = [kind for name, kind in CATALOGUE.items() if name not in _NOT_OFFERED and name not in _BY_NAME]
    events = [{"value": kind.kind, "label": say(edge, kind.title)} for kind in kinds]
    return {
        "triggers": [
            {"value": value, "label": say(edge, label), "help": say(edge, text)} for value, label, text in named
        ],
        "events": sorted(events, key=lambda item: item["label"]),
        "ahead": [{"value": days, "label": str(days)} for days in DAYS],
    }


def time_of_day(text: str) -> time:
    """A time as browsers post it. Raises TimeOfDayError."""
    try:
        found = time.fromisoformat(text.strip())
    except ValueError as wrong:
        raise TimeOfDayError from wrong
    if found.tzinfo is not None:
        raise TimeOfDayError
    return found


def _recurring(form: Mapping[str, str], name: str) -> AnyTrigger:
    if name in _YEARLY:
        at = {"at": time_of_day(form["date_at"])} if form["date_at"].strip() else {}
        return DateTrigger(date=_YEARLY[name], offset_days=typed.whole(form["date_offset"]), **at)
    rest_days = typed.whole(form["rest_days"])
    if name in _AHEAD:
        days = typed.whole(form["ahead_days"], DAYS[0])
        return EventTrigger(event=name, where={"days": days}, rest_days=rest_days)
    if name in _BY_NAME:
        return EventTrigger(event=name, rest_days=rest_days)
    if name != _EVENT:
        raise UnknownTriggerError
    where, at_least = _asked(form["event_where"])
    return EventTrigger(event=form["event"], where=where, at_least=at_least, rest_days=rest_days)


def _asked(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    where: dict[str, Any] = {}
    at_least: dict[str, Any] = {}
    for part in text.replace("，", ",").split(","):
        if not part.strip():
            continue
        is_least = ">=" in part
        name, sign, value = (item.strip() for item in part.partition(">=" if is_least else "="))
        if not name or not sign or not value:
            raise FieldsError
        if is_least:
            at_least[name] = typed.whole(value)
        else:
            where[name] = value
    return where, at_least


def _conditions(trigger: EventTrigger) -> str:
    same = [f"{name}={value}" for name, value in trigger.where.items()]
    return ", ".join([*same, *(f"{name}>={value}" for name, value in trigger.at_least.items())])


def _ahead_words(edge: Edge, title: str, days: int) -> str:
    line = say(edge, "{name}, the day before" if days == 1 else "{name}, {days} days ahead")
    return line.replace("{name}", title).replace("{days}", str(days))


def _yearly_words(edge: Edge, trigger: DateTrigger) -> str:
    name = say(edge, "Birthday" if trigger.date is DateProperty.BIRTHDAY else "Anniversary of signing up")
    days = abs(trigger.offset_days)
    if not days:
        return name
    line = "{name}, {days} days before" if trigger.offset_days < 0 else "{name}, {days} days after"
    return say(edge, line).replace("{name}", name).replace("{days}", str(days))
