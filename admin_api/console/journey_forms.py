"""The journey's form: a trigger, waits, a segment, gifts, a message; and the graph that stands for them."""

from collections.abc import Mapping
from datetime import time
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError

from admin_api.console import journey_triggers, json_fields, message_forms, typed
from admin_api.edge import Edge
from admin_api.message_bodies import content_of
from crm.journeys.errors import GraphProblem, InvalidJourneyError
from crm.journeys.nodes.check_segment import CheckSegmentParameters
from crm.journeys.nodes.give_coupon import GiveCouponParameters
from crm.journeys.nodes.give_points import GivePointsParameters
from crm.journeys.nodes.send import SendParameters
from crm.journeys.nodes.wait import WaitParameters
from crm.journeys.nodes.wait_until import WaitUntilParameters
from crm.journeys.triggers import AnyTrigger, DateProperty, DateTrigger
from crm.journeys.types import Graph, Journey, NodeSpec
from crm.kit.errors import InvalidError
from crm.kit.rules import Parameters
from crm.messages.stored import content_json

Text = Annotated[str, Field(max_length=200)]
_ORDER = ("wait", "wait_until", "check_segment", "give_points", "give_coupon", "send")
"""In which members pass the steps of the form; all but the last may be left out."""
_WAIT, _UNTIL, _CHECK, _POINTS, _COUPON, _SEND = _ORDER
_MOST_DAYS = 365
_EMPTY: dict[str, Any] = {"text": {}, "buttons": []}
_LAST = time(20)


class WaitError(InvalidError):
    """A wait is at most 365 days, and never less than nothing."""


class JourneyForm(BaseModel):
    """What the form posts."""

    name: Text = ""
    trigger: Text = "member_signed_up"
    quiet_days: Text = ""
    date_offset: Text = ""
    date_at: Text = ""
    ahead_days: Text = ""
    event: Text = ""
    event_where: Text = ""
    rest_days: Text = ""
    wait_days: Text = ""
    wait_hours: Text = ""
    wait_minutes: Text = ""
    until_at: Text = ""
    until_end: Text = ""
    until_weekdays: Text = ""
    segment_id: Text = ""
    gift_points: Text = ""
    gift_months: Text = ""
    gift_coupon_id: Text = ""
    message: Annotated[str, Field(max_length=json_fields.MOST_CHARACTERS)] = ""
    topic: Text = "news"
    message_class: Text = ""

    def shown(self) -> dict[str, Any]:
        """As the page takes it."""
        return {**self.model_dump(), "message": json_fields.read_or(self.message, _EMPTY)}


EMPTY = JourneyForm(name="", wait_days="1").shown()


def trigger_of(form: JourneyForm) -> AnyTrigger:
    """The trigger that was chosen. Raises what is wrong with it."""
    return journey_triggers.trigger_of(form.model_dump())


async def graph_of(edge: Edge, form: JourneyForm, trigger: AnyTrigger) -> Graph:
    """The steps that are wanted, each leading to the next. Raises what is wrong with the form."""
    content = await content_of(edge.session, message_forms.typed_message(form.message))
    found: dict[str, dict[str, Any]] = {
        _WAIT: _wait(form),
        _UNTIL: _until(form),
        _CHECK: {"segment_id": typed.chosen(form.segment_id)} if form.segment_id else {},
        _POINTS: _points(form, trigger),
        _COUPON: {"coupon_id": typed.chosen(form.gift_coupon_id)} if form.gift_coupon_id else {},
        _SEND: {
            "message": content_json(content),
            "topic": form.topic,
            "message_class": message_forms.message_class(form.message_class).value,
        },
    }
    nodes: dict[str, NodeSpec] = {}
    following: str | None = None
    for kind in reversed([kind for kind in _ORDER if found[kind]]):
        exits = {"yes" if kind == _CHECK else "next": following} if following else {}
        nodes[kind] = NodeSpec(kind=kind, parameters=found[kind], exits=exits)
        following = kind
    return Graph(start=following or _SEND, nodes=nodes)


def steps_of(graph: Graph) -> list[tuple[str, NodeSpec]]:
    """The nodes in the order in which members pass them, where there is one line; else in the order of the graph."""
    line: list[tuple[str, NodeSpec]] = []
    name: str | None = graph.start
    while name is not None and len(line) <= len(graph.nodes):
        spec = graph.nodes[name]
        line.append((name, spec))
        name = spec.exits.get("next") or spec.exits.get("yes")
    return line if len(line) == len(graph.nodes) else list(graph.nodes.items())


def form_of(journey: Journey) -> dict[str, Any] | None:
    """The journey in the form's fields; None when its graph is richer than the form can show."""
    steps = steps_of(journey.graph)
    kinds = [spec.kind for _, spec in steps]
    is_line = kinds == [kind for kind in _ORDER if kind in kinds] and _SEND in kinds
    aside = any({"no", "refused"} & set(spec.exits) for _, spec in steps)
    if not is_line or aside or steps[0][0] != journey.graph.start:
        return None
    parameters = {spec.kind: spec.parameters for _, spec in steps}
    sending = SendParameters.model_validate(parameters[_SEND])
    form: dict[str, Any] = {
        **EMPTY,
        "name": journey.name,
        "wait_days": "",
        "message": message_forms.composer_message(sending.message),
        "topic": sending.topic,
        "message_class": sending.message_class.value,
        **journey_triggers.fields_of(journey.trigger),
    }
    for kind, read in _READERS.items():
        if kind in parameters:
            fields = read(parameters[kind], journey.trigger)
            if fields is None:
                return None
            form |= fields
    return form


def _wait(form: JourneyForm) -> dict[str, Any]:
    parts = {
        "days": typed.whole(form.wait_days),
        "hours": typed.whole(form.wait_hours),
        "minutes": typed.whole(form.wait_minutes),
    }
    total = parts["days"] + parts["hours"] / 24 + parts["minutes"] / 1440
    if any(value < 0 for value in parts.values()) or total > _MOST_DAYS:
        raise WaitError
    return parts if any(parts.values()) else {}


def _until(form: JourneyForm) -> dict[str, Any]:
    if not form.until_at.strip():
        return {}
    until = journey_triggers.time_of_day(form.until_end) if form.until_end.strip() else _LAST
    weekdays = [typed.whole(part) for part in form.until_weekdays.replace("，", ",").split(",") if part.strip()]
    values = {"at": journey_triggers.time_of_day(form.until_at), "until": until, "weekdays": weekdays}
    return _checked(_UNTIL, WaitUntilParameters, values)


def _points(form: JourneyForm, trigger: AnyTrigger) -> dict[str, Any]:
    if not form.gift_points.strip():
        return {}
    months = typed.whole(form.gift_months)
    values = {"points": typed.whole(form.gift_points), "reason": _reason(trigger)}
    return _checked(_POINTS, GivePointsParameters, {**values, "expires_after_months": months or None})


def _reason(trigger: AnyTrigger) -> str:
    is_birthday = isinstance(trigger, DateTrigger) and trigger.date is DateProperty.BIRTHDAY
    return "birthday" if is_birthday else "gift"


def _checked(kind: str, model: type[Parameters], values: Mapping[str, Any]) -> dict[str, Any]:
    try:
        found = model.model_validate(values)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        path = ".".join([kind, *map(str, fault["loc"])])
        raise InvalidJourneyError([GraphProblem(path, fault["msg"].removeprefix("Value error, "))]) from error
    return found.model_dump(mode="json", exclude_defaults=True) or found.model_dump(mode="json")


def _read_wait(parameters: Mapping[str, Any], trigger: AnyTrigger) -> dict[str, Any]:
    del trigger
    wait = WaitParameters.model_validate(parameters)
    return {"wait_days": wait.days, "wait_hours": wait.hours, "wait_minutes": wait.minutes}


def _read_until(parameters: Mapping[str, Any], trigger: AnyTrigger) -> dict[str, Any]:
    del trigger
    until = WaitUntilParameters.model_validate(parameters)
    weekdays = ", ".join(map(str, until.weekdays))
    return {"until_at": f"{until.at:%H:%M}", "until_end": f"{until.until:%H:%M}", "until_weekdays": weekdays}


def _read_check(parameters: Mapping[str, Any], trigger: AnyTrigger) -> dict[str, Any]:
    del trigger
    return {"segment_id": CheckSegmentParameters.model_validate(parameters).segment_id}


def _read_points(parameters: Mapping[str, Any], trigger: AnyTrigger) -> dict[str, Any] | None:
    """None for what the form would lose."""
    gift = GivePointsParameters.model_validate(parameters)
    plain = GivePointsParameters(
        points=gift.points, reason=_reason(trigger), expires_after_months=gift.expires_after_months
    )
    return {"gift_points": gift.points, "gift_months": gift.expires_after_months or ""} if gift == plain else None


def _read_coupon(parameters: Mapping[str, Any], trigger: AnyTrigger) -> dict[str, Any]:
    del trigger
    return {"gift_coupon_id": GiveCouponParameters.model_validate(parameters).coupon_id}


_READERS = {
    _WAIT: _read_wait,
    _UNTIL: _read_until,
    _CHECK: _read_check,
    _POINTS: _read_points,
    _COUPON: _read_coupon,
}
