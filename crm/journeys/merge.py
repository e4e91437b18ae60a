"""Joining two members' ways through journeys: once per person, journey and cause, so the kept one's own way counts."""

from datetime import datetime
from typing import Any

from sqlalchemy import exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.journeys.models import EnrollmentRow

_ENROLLMENTS = EnrollmentRow.metadata.tables["enrollments"]
_OUTCOME = "merged"


class JourneysMerge:
    """Moves enrollments; where both are in a journey, the dropped one's way ends there."""

    name = "journeys"

    async def merge(self, session: AsyncSession, keep_id: int, drop_id: int) -> dict[str, Any]:
        """Answers which enrollments moved, and which were ended with where they stood."""
        own = _ENROLLMENTS.c
        kept = _ENROLLMENTS.alias("kept")
        taken = (kept.c.member_id == keep_id, kept.c.journey_id == own.journey_id, kept.c.cause == own.cause)
        is_free = ~exists().where(*taken)
        moving = update(_ENROLLMENTS).where(own.member_id == drop_id, is_free).values(member_id=keep_id)
        moved = list(await session.scalars(moving.returning(own.id)))
        is_open = (own.member_id == drop_id, own.outcome.is_(None))
        open_ways = (
            await session.execute(select(own.id, own.node, own.due_at).where(*is_open).with_for_update())
        ).all()
        ended = {"node": None, "due_at": None, "outcome": _OUTCOME, "ended_at": await clock.now(session)}
        await session.execute(update(_ENROLLMENTS).where(*is_open).values(**ended))
        stood = [[row.id, row.node, row.due_at.isoformat() if row.due_at else None] for row in open_ways]
        return {"moved": moved, "ended": stood}

    async def undo(self, session: AsyncSession, keep_id: int, drop_id: int, record: dict[str, Any]) -> None:
        """Move them back; what the merge ended goes on where it stood."""
        own = _ENROLLMENTS.c
        moved = (own.id.in_(record["moved"]), own.member_id == keep_id)
        await session.execute(update(_ENROLLMENTS).where(*moved).values(member_id=drop_id))
        for enrollment_id, node, due_at in record["ended"]:
            stood = {"node": node, "due_at": datetime.fromisoformat(due_at) if due_at else None}
            is_ours = (own.id == enrollment_id, own.outcome == _OUTCOME)
            again = update(_ENROLLMENTS).where(*is_ours)
            await session.execute(again.values(**stood, outcome=None, ended_at=None))


journeys_merge = JourneysMerge()
