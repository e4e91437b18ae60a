"""A graph that could go wrong is refused when it is saved, with the place of every fault."""

from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from crm.journeys import contents, service
from crm.journeys.errors import InvalidJourneyError, JourneyNotFoundError, JourneyNotPossibleNowError
from crm.journeys.registry import problems
from crm.journeys.triggers import SignedUpTrigger
from crm.journeys.types import Graph, JourneyStatus
from crm.segments import service as segments
from tests.factories.campaigns import BUTTONS, make_segment
from tests.factories.journeys import SEND, check, graph, make_journey, wait, welcome


def _send(**parameters: Any) -> dict[str, Any]:
    return {"kind": "send", "parameters": {"message": {"text": {"en": "Hi"}}, **parameters}}


@pytest.mark.parametrize(
    ("plan", "paths"),
    [
        (graph("nowhere", a=wait()), ["start"]),
        (graph("a", a=wait("b")), ["nodes.a.exits.next"]),
        (graph("a", a={**SEND, "exits": {"yes": "a"}}), ["nodes.a.exits.yes"]),
        (graph("a", a={"kind": "teleport"}), ["nodes.a.kind"]),
        (graph("a", a=wait("a")), ["nodes.a"]),
        (graph("a", a=wait("b"), b=wait("c"), c=wait("b")), ["nodes.b"]),
        (graph("a", a=wait(), b=wait(), c=wait("b")), ["nodes.b", "nodes.c"]),
        (graph("a", a={"kind": "wait"}), ["nodes.a.parameters"]),
        (graph("a", a=wait(days=366)), ["nodes.a.parameters.days"]),
        (graph("a", a=wait(weeks=1)), ["nodes.a.parameters.weeks"]),
        (graph("a", a=wait(days=-1, hours=10**9)), ["nodes.a.parameters.days", "nodes.a.parameters.hours"]),
        (graph("a", a=check(404)), ["nodes.a.parameters.segment_id"]),
        (graph("a", a=check(10**30)), ["nodes.a.parameters.segment_id"]),
        (graph("a", a={"kind": "check_segment", "parameters": {}}), ["nodes.a.parameters.segment_id"]),
        (graph("a", a=_send(message={"text": {}})), ["nodes.a.parameters.message.text"]),
        (graph("a", a=_send(message={"text": {"en": "{{ member.nam }}"}})), ["nodes.a.parameters.message.text.en"]),
        (graph("a", a=_send(topic="no_such")), ["nodes.a.parameters.topic"]),
        (graph("a", a=_send(message_class="spam")), ["nodes.a.parameters.message_class"]),
        (
            graph("a", a=_send(message={"text": {"en": "Hi"}, "photo_media_id": str(uuid4())})),
            ["nodes.a.parameters.message"],
        ),
        (graph("a", a=_send(**{"x\x00" * 999: 1})), ["nodes.a.parameters." + "x" * 181]),
        (graph("\x00", a={"kind": "'; DROP TABLE journeys \x00"}), ["start", "nodes.a.kind"]),
    ],
)
async def test_a_fault_is_named_with_its_place(session: AsyncSession, plan: Graph, paths: list[str]) -> None:
    with pytest.raises(InvalidJourneyError) as caught:
        await service.create(session, name="Welcome", trigger=SignedUpTrigger(), graph=plan)
    found = [problem.path for problem in caught.value.problems]
    assert found == paths
    for problem in caught.value.problems:
        (problem.path + problem.text).encode("utf-8")
    assert (await service.listing(session)).items == []


@pytest.mark.parametrize(
    "plan",
    [
        {"start": "a", "nodes": {}},
        {"start": "a", "nodes": {"A b": wait()}},
        {"start": "a", "nodes": {"x" * 25: wait()}},
        {"start": "a", "nodes": {f"n{number}": wait() for number in range(51)}},
        {"start": "a", "nodes": {"a": {**wait(), "next": "b"}}},
        {"start": "a"},
    ],
)
def test_what_is_no_graph_at_all_is_refused(plan: Any) -> None:
    with pytest.raises(ValidationError):
        Graph.model_validate(plan)


async def test_ways_that_part_and_meet_again_are_walked_once(session: AsyncSession) -> None:
    """Fifty nodes with two ways each have more ways than anybody could walk."""
    segment_id = await make_segment(session)
    nodes = {f"n{number}": check(segment_id, f"n{number + 1}", f"n{number + 1}") for number in range(49)}
    assert await problems(session, graph("n0", **nodes, n49=wait()), SignedUpTrigger()) == []
    looping = graph("n0", **nodes, n49=wait("n7"))
    assert [problem.path for problem in await problems(session, looping, SignedUpTrigger())] == ["nodes.n7"]


async def test_an_archived_segment_cannot_be_checked(session: AsyncSession) -> None:
    segment_id = await make_segment(session)
    journey = await make_journey(session, welcome(segment_id), is_active=False)
    await segments.archive(session, segment_id)
    with pytest.raises(InvalidJourneyError, match=r"nodes\.who\.parameters\.segment_id: .*archived"):
        await service.activate(session, journey.id)
    assert (await service.get(session, journey.id)).status is JourneyStatus.DRAFT


async def test_states_that_do_not_allow_a_step_say_so(session: AsyncSession) -> None:
    journey = await make_journey(session, graph("a", a=wait()), is_active=False)
    with pytest.raises(JourneyNotPossibleNowError, match="active"):
        await service.pause(session, journey.id)
    active = await service.activate(session, journey.id)
    assert active.activated_at is not None
    with pytest.raises(JourneyNotPossibleNowError, match="already"):
        await service.activate(session, journey.id)
    with pytest.raises(JourneyNotPossibleNowError, match="Pause"):
        await service.archive(session, journey.id)
    await service.pause(session, journey.id)
    await service.archive(session, journey.id)
    assert (await service.listing(session)).items == []
    with pytest.raises(JourneyNotPossibleNowError, match="archived"):
        await service.activate(session, journey.id)
    await service.archive(session, journey.id, is_archived=False)
    again = await service.activate(session, journey.id)
    assert (again.status, again.activated_at) == (JourneyStatus.ACTIVE, active.activated_at)


@pytest.mark.parametrize("name", ["", " ", "\x00", "x" * 121])
async def test_a_journey_needs_a_name(session: AsyncSession, name: str) -> None:
    with pytest.raises(InvalidJourneyError, match="name"):
        await service.create(session, name=name, trigger=SignedUpTrigger(), graph=graph("a", a=wait()))


@pytest.mark.parametrize(
    "source_id",
    [
        "",
        "x",
        "1",
        "1.1",
        "1.1.nowhere",
        "404.1.a",
        "1.404.a",
        "²·1.a",
        "1.1.a.b",
        "9" * 30 + ".1.a",
        "1.-1.a",
        "-1.1.a",
    ],
)
async def test_a_forged_source_is_no_content(session: AsyncSession, source_id: str) -> None:
    journey = await make_journey(session, graph("a", a=_send(message={"text": {"en": "Hi"}, "buttons": _BUTTONS})))
    forged = source_id.replace("1.1", f"{journey.id}.1")
    with pytest.raises(JourneyNotFoundError):
        await contents.content(session, forged)
    assert await service.tapped_button(session, forged, "0.0") is None
    assert await service.tapped_button(session, f"{journey.id}.1.a", "0.0") == BUTTONS[0][0]
    assert await service.tapped_button(session, f"{journey.id}.1.a", "7.7") is None


_BUTTONS = [[{"label": {"en": "Shop"}, "url": "https://tea.example"}]]
