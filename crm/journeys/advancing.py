"""Members move on: those who stand at the same node are moved together, in one transaction."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import structlog
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.db.away import is_away, is_passing
from crm.events.catalogue import JourneyEnded
from crm.events.service import publish_many
from crm.journeys import service
from crm.journeys.models import EnrollmentRow, JourneyRow
from crm.journeys.nodes.contract import Batch, Way
from crm.journeys.registry import nodes
from crm.journeys.types import Graph, JourneyStatus
from crm.recovery import views as recovery

BATCH = 500
FINISHED = "finished"
DROPPED = "dropped"
FAILED = "failed"
log = structlog.get_logger(__name__)
Key = tuple[int, int, str]
_PLACE = (
    EnrollmentRow.id,
    EnrollmentRow.journey_id,
    EnrollmentRow.version,
    EnrollmentRow.node,
    EnrollmentRow.member_id,
    EnrollmentRow.occurrence,
)


async def advance_due(session: AsyncSession) -> int:
    """Move up to 500 due members of active journeys by one node; answers how many. The safe mode moves nobody."""
    now = await clock.now(session)
    due = (
        select(*_PLACE)
        .join(JourneyRow, JourneyRow.id == EnrollmentRow.journey_id)
        .where(EnrollmentRow.due_at <= now, JourneyRow.status == JourneyStatus.ACTIVE, ~recovery.is_on())
        .order_by(EnrollmentRow.due_at)
        .limit(BATCH)
        .with_for_update(of=EnrollmentRow, skip_locked=True)
    )
    groups: dict[Key, dict[int, Way]] = defaultdict(dict)
    for row in await session.execute(due):
        # a second way of the same member at the same node is left to the next time
        groups[row.journey_id, row.version, row.node or ""].setdefault(row.member_id, Way(row.id, row.occurrence))
    for (journey_id, version, node), ways in groups.items():
        await _move(session, Batch(journey_id, version, node, sorted(ways), now, ways))
    return sum(len(ways) for ways in groups.values())


async def _move(session: AsyncSession, batch: Batch) -> None:
    graph = await service.graph_of(session, batch.journey_id, batch.version)
    try:
        async with session.begin_nested():
            moved = await _run_node(session, graph, batch)
    except Exception as error:
        if is_away(error) or is_passing(error):  # no fault of the journey: the next tick tries again
            raise
        log.exception("journey_node_failed", journey_id=batch.journey_id, node=batch.node, error=type(error).__name__)
        await _end(session, batch, batch.member_ids, FAILED)
        return
    left = [member_id for member_id in batch.member_ids if member_id not in moved]
    await _end(session, batch, left, DROPPED)


async def _run_node(session: AsyncSession, graph: Graph, batch: Batch) -> set[int]:
    spec = graph.nodes[batch.node]
    node = nodes()[spec.kind]
    verdict = await node.run(session, node.parameters.model_validate(spec.parameters), batch)
    moved: set[int] = set()
    for way, member_ids in verdict.exits.items():
        moved.update(member_ids)
        target = spec.exits.get(way)
        if target is None:
            await _end(session, batch, member_ids, FINISHED)
            continue
        times: dict[datetime, list[int]] = defaultdict(list)
        for member_id in member_ids:
            due_at = verdict.dues.get(member_id, verdict.due_at or batch.now)
            times[due_at].append(batch.ways[member_id].enrollment_id)
        for due_at, ids in times.items():
            await _go_to(session, ids, target, due_at)
    return moved


async def _go_to(session: AsyncSession, ids: Sequence[int], node: str, due_at: datetime) -> None:
    values = {"node": node, "due_at": due_at}
    await session.execute(update(EnrollmentRow).where(EnrollmentRow.id.in_(ids)).values(values))


async def _end(session: AsyncSession, batch: Batch, member_ids: Sequence[int], outcome: str) -> None:
    if not member_ids:
        return
    values = {"node": None, "due_at": None, "outcome": outcome, "ended_at": batch.now}
    ids = [batch.ways[member_id].enrollment_id for member_id in member_ids]
    await session.execute(update(EnrollmentRow).where(EnrollmentRow.id.in_(ids)).values(values))
    facts = [
        JourneyEnded(
            member_id=member_id,
            journey_id=batch.journey_id,
            enrollment_id=batch.ways[member_id].enrollment_id,
            outcome=outcome,
        )
        for member_id in member_ids
    ]
    await publish_many(session, facts)
