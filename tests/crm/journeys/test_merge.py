"""A merge of members keeps one way per person and journey."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.journeys.models import EnrollmentRow, JourneyRow
from crm.members import merging
from tests.factories.members import make_member

DUE = datetime(2026, 5, 1, tzinfo=UTC)
ENROLLMENTS = EnrollmentRow.metadata.tables["enrollments"]


async def _enroll(session: AsyncSession, member_id: int, journey_id: int) -> int:
    values = {"journey_id": journey_id, "version": 1, "member_id": member_id, "node": "wait", "due_at": DUE}
    made = await session.execute(insert(EnrollmentRow).values(**values).returning(EnrollmentRow.id))
    return int(made.scalar_one())


async def _rows(session: AsyncSession) -> dict[int, tuple[Any, ...]]:
    names = ("member_id", "node", "due_at", "outcome", "ended_at")
    rows = await session.execute(select(ENROLLMENTS.c.id, *(ENROLLMENTS.c[name] for name in names)))
    return {row[0]: tuple(row[1:]) for row in rows}


async def test_ways_move_or_end_and_an_undo_restores_them(session: AsyncSession) -> None:
    keep, drop = await make_member(session), await make_member(session)
    names = [{"name": "Both"}, {"name": "Only the dropped one"}]
    made = await session.execute(insert(JourneyRow).returning(JourneyRow.id), names)
    both, single = made.scalars().all()
    kept = await _enroll(session, keep.id, both)
    double, moved = await _enroll(session, drop.id, both), await _enroll(session, drop.id, single)
    before = await _rows(session)
    merge_id = await merging.merge(session, keep.id, drop.id, by="operator:1")
    after = await _rows(session)
    assert after[kept] == before[kept]
    assert after[moved] == (keep.id, "wait", DUE, None, None)
    assert after[double][:4] == (drop.id, None, None, "merged")
    await merging.undo(session, merge_id, by="operator:1")
    assert await _rows(session) == before
