"""What every kind of journey node must do."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.journeys.nodes.contract import Batch, Begun, Node, Way
from crm.journeys.registry import nodes
from tests.conformance.parameters import assert_named, assert_strict, shipped
from tests.factories.campaigns import make_segment
from tests.factories.loyalty import make_coupon
from tests.factories.members import make_member

NODES: list[Node] = shipped("crm.journeys.nodes", Node)
SAMPLES: dict[str, dict[str, Any]] = {
    "wait": {"hours": 2},
    "check_segment": {"segment_id": 1},
    "wait_until": {"at": "09:30", "weekdays": [1, 5]},
    "give_points": {"points": 50},
    "give_coupon": {"coupon_id": 1},
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
    parameters = await _parameters(session, node)
    assert await node.check(session, parameters, Begun()) == []
    now = await clock.now(session)
    for member_ids in (members, [members[0]], [10**12]):
        ways = {member_id: Way(member_id) for member_id in member_ids}
        verdict = await node.run(session, parameters, Batch(1, 1, "n", member_ids, now, ways))
        left = [member_id for leaving in verdict.exits.values() for member_id in leaving]
        assert set(verdict.exits) <= set(node.exits)
        assert len(set(left)) == len(left)
        assert set(left) <= set(member_ids)
        assert verdict.due_at is None or verdict.due_at >= now
        assert all(due_at >= now for due_at in verdict.dues.values())


@pytest.mark.parametrize("node", NODES, ids=lambda item: item.kind)
async def test_running_twice_does_it_once(session: AsyncSession, node: Node) -> None:
    """A crash after the work and before the commit repeats it all; a repetition within changes nothing either."""
    member = (await make_member(session)).id
    parameters = await _parameters(session, node)
    batch = Batch(1, 1, "n", [member], await clock.now(session), {member: Way(7)})
    first = await node.run(session, parameters, batch)
    given = await _given(session)
    assert await node.run(session, parameters, batch) == first
    assert await _given(session) == given


async def _parameters(session: AsyncSession, node: Node) -> Any:
    """The sample, with what it points at made."""
    sample = dict(SAMPLES[node.kind])
    if "segment_id" in sample:
        sample["segment_id"] = await make_segment(session, {"condition": "language", "locale": "zh-CN"})
    if "coupon_id" in sample:
        sample["coupon_id"] = (await make_coupon(session)).id
    return node.parameters.model_validate(sample)


async def _given(session: AsyncSession) -> list[int]:
    """How much was sent and given so far."""
    tables = ("bulk_deliveries", "ledger_transactions", "vouchers")
    return [(await session.execute(text(f"SELECT count(*) FROM {name}"))).scalar_one() for name in tables]
