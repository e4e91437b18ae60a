"""What the page of a journey shows: its steps and outcomes in words, figures, members."""

from collections.abc import Sequence
from typing import Any

from babel.units import format_unit

from admin_api.console import journey_triggers, message_forms
from admin_api.console.journey_forms import form_of, steps_of
from admin_api.console.loyalty_forms import in_locale
from admin_api.console.pages import locale_of, say
from admin_api.edge import Edge
from crm.coupons.service import holding
from crm.deliveries import service as deliveries
from crm.journeys import service
from crm.journeys.contents import SOURCE, stem
from crm.journeys.nodes.give_points import GivePointsParameters
from crm.journeys.nodes.send import SendParameters
from crm.journeys.nodes.wait import WaitParameters
from crm.journeys.nodes.wait_until import WaitUntilParameters
from crm.journeys.types import Graph, Journey, NodeSpec
from crm.kit.errors import DomainError
from crm.messages import recipients
from crm.segments import service as segments

_OUTCOMES = {
    "finished": "Reached the end",
    "dropped": "Is no member any more",
    "failed": "Failed",
    "merged": "Merged",
}


def trigger_words(edge: Edge, journey: Journey) -> str:
    """What starts it."""
    return journey_triggers.words(edge, journey.trigger)


def names_of(edge: Edge, journeys: Sequence[Journey]) -> dict[int, str]:
    """Their names; those that are shipped in the operator's language, until somebody renames them."""
    return {item.id: say(edge, item.name) if item.shipped_key else item.name for item in journeys}


def outcome_words(edge: Edge, outcome: str | None) -> str:
    """How a member's way ended."""
    return say(edge, _OUTCOMES.get(outcome, outcome.replace("_", " ").capitalize())) if outcome else ""


async def detail_values(edge: Edge, journey_id: int, *, cursor: str | None, version: int) -> dict[str, Any]:
    """Everything that the page shows; `version` 0 is the current one."""
    journey = await service.get(edge.session, journey_id)
    shown = version or journey.version
    graph = journey.graph if shown == journey.version else await service.graph_of(edge.session, journey_id, shown)
    page = await service.enrollments(edge.session, journey_id, cursor=cursor)
    found = await recipients.recipients(edge.session, [item.member_id for item in page.items])
    counts = await service.counts(edge.session, journey_id)
    return {
        "journey": journey,
        "heading": names_of(edge, [journey])[journey_id],
        "trigger": trigger_words(edge, journey),
        "version": shown,
        "steps": await _steps(edge, journey_id, shown, graph),
        "counts": counts,
        "ended": [(outcome_words(edge, name), number) for name, number in sorted(counts.ended.items())],
        "outcomes": {item.outcome: outcome_words(edge, item.outcome) for item in page.items if item.outcome},
        "page": page,
        "names": {member_id: item.member["name"] for member_id, item in found.items()},
        "can_edit": form_of(journey) is not None,
        "readers": await message_forms.readers(edge),
    }


async def _steps(edge: Edge, journey_id: int, version: int, graph: Graph) -> list[dict[str, Any]]:
    return [await _step(edge, journey_id, version, name, spec) for name, spec in steps_of(graph)]


async def _step(edge: Edge, journey_id: int, version: int, name: str, spec: NodeSpec) -> dict[str, Any]:
    step: dict[str, Any] = {"name": name, "kind": spec.kind, "exits": spec.exits, "title": say(edge, spec.kind)}
    match spec.kind:
        case "wait":
            step |= {"title": say(edge, "Wait"), "detail": _wait_words(edge, spec)}
        case "wait_until":
            step |= {"title": say(edge, "Wait until a time of day"), "detail": _until_words(edge, spec)}
        case "give_points":
            gift = GivePointsParameters.model_validate(spec.parameters)
            step |= {"title": say(edge, "Give points"), "detail": f"{gift.points:,}"}
        case "give_coupon":
            step |= await _coupon_step(edge, int(spec.parameters["coupon_id"]))
        case "check_segment":
            step |= await _segment_step(edge, int(spec.parameters["segment_id"]))
        case "send":
            sending = SendParameters.model_validate(spec.parameters)
            counts = await deliveries.counts_under(edge.session, SOURCE, stem(journey_id, version, name))
            step |= {"title": say(edge, "Send the message"), "topic": sending.topic, "counts": counts}
    return step


async def _coupon_step(edge: Edge, coupon_id: int) -> dict[str, Any]:
    names = (await holding.coupon_names(edge.session)).get(coupon_id, {})
    return {"title": say(edge, "Give a coupon"), "detail": in_locale(edge.acting, names), "coupon_id": coupon_id}


async def _segment_step(edge: Edge, segment_id: int) -> dict[str, Any]:
    try:
        detail = (await segments.get(edge.session, segment_id)).name
    except DomainError as error:
        detail = say(edge, error.detail)
    return {"title": say(edge, "Go on with those in the segment"), "segment_id": segment_id, "detail": detail}


def _until_words(edge: Edge, spec: NodeSpec) -> str:
    until = WaitUntilParameters.model_validate(spec.parameters)
    days = say(edge, "weekdays {days}").replace("{days}", ", ".join(map(str, until.weekdays)))
    shown = f"{until.at:%H:%M}-{until.until:%H:%M}"
    return f"{shown}, {days}" if until.weekdays else shown


def _wait_words(edge: Edge, spec: NodeSpec) -> str:
    wait = WaitParameters.model_validate(spec.parameters)
    locale = locale_of(edge).replace("-", "_")
    parts = [("duration-day", wait.days), ("duration-hour", wait.hours), ("duration-minute", wait.minutes)]
    return " ".join(format_unit(count, unit, locale=locale) for unit, count in parts if count)
