"""What every kind of journey node must do."""

from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.journeys.nodes.contract import Batch, Node
from crm.journeys.registry import nodes
from tests.conformance.parameters import assert_named, assert_strict, shipped
from tests.factories.campaigns import make_segment
from tests.factories.members import make_member

NODES: list[Node] = shipped("crm.journeys.nodes", Node)
SAMPLES: dict[str, dict[str, Any]] = {
    "wait": {"hours": 2},
    "check_segment": {"segment_id": 1},
    "send": {"message": {"text": {"en": "Hi"}}, "topic": "news"},
}


def test_they_are_named_and_none_hides_another() -> None:
    assert_named(NODES, "kind")
    assert set(nodes()) == {node.kind for node in NODES} == set(SAMPLES)


@pytest.mark.parametrize("node", NODES, ids=lambda item: item.kind)
def test_parameters_are_strict(node: Node) -> None:
    assert_strict(node.parameters, SAMPLES[node.kind])


@pytest.mark.parametrize("node", NODES, ids=lambda item: item.kind)
def test_exits_are_named(node: Node) -> None:
    assert node.exits
    assert len(set(node.exits)) == len(node.exits)
    assert all(way.isidentifier() and way == way.lower() for way in node.exits)


@pytest.mark.parametrize("node", NODES, ids=lambda item: item.kind)
async def test_each_member_leaves_by_one_exit_at_most(session: AsyncSession, node: Node) -> None:
    members = [(await make_member(session)).id for _ in range(3)]
    sample = dict(SAMPLES[node.kind])
    if "segment_id" in sample:
        sample["segment_id"] = await make_segment(session, {"condition": "language", "locale": "zh-CN"})
    parameters = node.parameters.model_validate(sample)
    assert await node.check(session, parameters) == []
    now = await clock.now(session)
    for member_ids in (members, [members[0]], [10**12]):
        verdict = await node.run(session, parameters, Batch(1, 1, "n", member_ids, now))
        left = [member_id for leaving in verdict.exits.values() for member_id in leaving]
        assert set(verdict.exits) <= set(node.exits)
        assert len(set(left)) == len(left)
        assert set(left) <= set(member_ids)
        assert verdict.due_at is None or verdict.due_at >= now


@pytest.mark.parametrize("node", NODES, ids=lambda item: item.kind)
async def test_running_twice_does_it_once(session: AsyncSession, node: Node) -> None:
    """A crash after the work and before the commit repeats it all; a repetition within changes nothing either."""
    member = (await make_member(session)).id
    sample = dict(SAMPLES[node.kind])
    if "segment_id" in sample:
        sample["segment_id"] = await make_segment(session)
    parameters = node.parameters.model_validate(sample)
    batch = Batch(1, 1, "n", [member], await clock.now(session))
    assert await node.run(session, parameters, batch) == await node.run(session, parameters, batch)
