"""The journey's form: a trigger, a wait, perhaps a segment, a message; and the graph that stands for them."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from admin_api.console import json_fields, message_forms, typed
from admin_api.edge import Edge
from admin_api.message_bodies import content_of
from crm.journeys.nodes.check_segment import CheckSegmentParameters
from crm.journeys.nodes.send import SendParameters
from crm.journeys.nodes.wait import WaitParameters
from crm.journeys.triggers import NotCheckedInTrigger, SignedUpTrigger
from crm.journeys.types import Graph, Journey, NodeSpec
from crm.kit.errors import InvalidError
from crm.messages.stored import content_json

Text = Annotated[str, Field(max_length=200)]
_WAIT, _CHECK, _SEND = "wait", "check_segment", "send"
_MOST_DAYS = 365
_EMPTY: dict[str, Any] = {"text": {}, "buttons": []}


class UnknownTriggerError(InvalidError):
    """Choose what starts the journey."""


class QuietDaysError(InvalidError):
    """Say after how many days without a check-in it starts: 1 to 365."""


class WaitError(InvalidError):
    """A wait is at most 365 days, and never less than nothing."""


class JourneyForm(BaseModel):
    """What the form posts."""

    name: Text = ""
    trigger: Text = "member_signed_up"
    quiet_days: Text = ""
    wait_days: Text = ""
    wait_hours: Text = ""
    wait_minutes: Text = ""
    segment_id: Text = ""
    message: Annotated[str, Field(max_length=json_fields.MOST_CHARACTERS)] = ""
    topic: Text = "news"
    message_class: Text = ""

    def shown(self) -> dict[str, Any]:
        """As the page takes it."""
        return {**self.model_dump(), "message": json_fields.read_or(self.message, _EMPTY)}


EMPTY = JourneyForm(name="", wait_days="1").shown()


def trigger_of(form: JourneyForm) -> SignedUpTrigger | NotCheckedInTrigger:
    """The trigger that was chosen. Raises UnknownTriggerError, QuietDaysError, WrongNumberError."""
    if form.trigger == "member_signed_up":
        return SignedUpTrigger()
    if form.trigger != "not_checked_in":
        raise UnknownTriggerError
    days = typed.whole(form.quiet_days)
    if not 1 <= days <= _MOST_DAYS:
        raise QuietDaysError
    return NotCheckedInTrigger(days=days)


async def graph_of(edge: Edge, form: JourneyForm) -> Graph:
    """Wait, check, send: those that are wanted, each leading to the next. Raises what is wrong with the form."""
    content = await content_of(edge.session, message_forms.typed_message(form.message))
    sending = {
        "message": content_json(content),
        "topic": form.topic,
        "message_class": message_forms.message_class(form.message_class).value,
    }
    nodes = {_SEND: NodeSpec(kind=_SEND, parameters=sending)}
    start = _SEND
    if form.segment_id:
        check = {"segment_id": typed.chosen(form.segment_id)}
        nodes[_CHECK] = NodeSpec(kind=_CHECK, parameters=check, exits={"yes": start})
        start = _CHECK
    wait = _wait(form)
    if any(wait.values()):
        nodes[_WAIT] = NodeSpec(kind=_WAIT, parameters=wait, exits={"next": start})
        start = _WAIT
    return Graph(start=start, nodes=nodes)


def _wait(form: JourneyForm) -> dict[str, int]:
    parts = {
        "days": typed.whole(form.wait_days),
        "hours": typed.whole(form.wait_hours),
        "minutes": typed.whole(form.wait_minutes),
    }
    total = parts["days"] + parts["hours"] / 24 + parts["minutes"] / 1440
    if any(value < 0 for value in parts.values()) or total > _MOST_DAYS:
        raise WaitError
    return parts


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
    allowed = ([_SEND], [_WAIT, _SEND], [_CHECK, _SEND], [_WAIT, _CHECK, _SEND])
    if kinds not in allowed or any("no" in spec.exits for _, spec in steps) or steps[0][0] != journey.graph.start:
        return None
    parameters = {spec.kind: spec.parameters for _, spec in steps}
    sending = SendParameters.model_validate(parameters[_SEND])
    form: dict[str, Any] = {
        **EMPTY,
        "name": journey.name,
        "trigger": journey.trigger.kind,
        "wait_days": "",
        "message": message_forms.composer_message(sending.message),
        "topic": sending.topic,
        "message_class": sending.message_class.value,
    }
    if isinstance(journey.trigger, NotCheckedInTrigger):
        form["quiet_days"] = journey.trigger.days
    if _WAIT in parameters:
        wait = WaitParameters.model_validate(parameters[_WAIT])
        form |= {"wait_days": wait.days, "wait_hours": wait.hours, "wait_minutes": wait.minutes}
    if _CHECK in parameters:
        form["segment_id"] = CheckSegmentParameters.model_validate(parameters[_CHECK]).segment_id
    return form
