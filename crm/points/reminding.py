"""Telling ahead that points run out: for each member the lots of one day together."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.events import ahead
from crm.events import service as events
from crm.events.ahead import Run
from crm.events.loyalty import PointsExpiring
from crm.points.models import LotRow

SUBJECT = "points"


async def tell_ahead(session: AsyncSession) -> int:
    """One step of a run that is due; 0 when there is none."""
    return await ahead.advance(session, SUBJECT, _step)


async def _step(session: AsyncSession, run: Run) -> str | None:
    now = await clock.now(session)
    query = (
        select(LotRow.member_id, func.sum(LotRow.remaining).label("points"), func.min(LotRow.expires_at).label("at"))
        .where(LotRow.remaining > 0, LotRow.expires_at >= max(run.begins_at, now), LotRow.expires_at < run.ends_at)
        .where(LotRow.member_id > int(run.reached or 0))
        .group_by(LotRow.member_id)
        .order_by(LotRow.member_id)
        .limit(ahead.AT_ONCE)
    )
    rows = (await session.execute(query)).all()
    facts = [
        PointsExpiring(member_id=row.member_id, points=int(row.points), at=row.at, on=run.day, days=run.days)
        for row in rows
    ]
    await events.publish_many(session, facts)
    return str(rows[-1].member_id) if len(rows) == ahead.AT_ONCE else None
