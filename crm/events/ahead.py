"""Events that are told some days ahead of a day: once for everybody whom that day concerns, in sets.

A run is a row: what is told, how many days ahead, of which day, and how far it came. Whoever goes on with a run holds
its row and publishes in the same transaction, so nobody is told twice and a crash repeats nothing.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import delete, select, tuple_
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brand
from crm.db import clock
from crm.events.models import AheadRow

DAYS = (30, 7, 1)
"""How many days ahead members are told that something of theirs runs out."""
AT_ONCE = 5000
_LATE = 1
"""Days by which a run may be late, when nothing ran on its own day."""
_KEPT = timedelta(days=7)


@dataclass(frozen=True)
class Run:
    """What one step is about: the day in the brand's zone with its bounds, and the last key that was told."""

    days: int
    day: date
    begins_at: datetime
    ends_at: datetime
    reached: str


Step = Callable[[AsyncSession, Run], Awaitable[str | None]]
"""Publishes for at most `AT_ONCE` keys behind `run.reached`; answers the last one, None when there are no more."""


async def advance(session: AsyncSession, subject: str, step: Step) -> int:
    """Take one run of `subject` a step further; 0 when everything that is due was told."""
    zone = await brand.zone(session)
    today = (await clock.now(session)).astimezone(zone).date()
    due = [(days, today + timedelta(days=days - late)) for late in range(_LATE + 1) for days in DAYS]
    rows = [{"subject": subject, "days": days, "day": day} for days, day in due]
    await session.execute(upsert(AheadRow).values(rows).on_conflict_do_nothing())
    is_open = (AheadRow.subject == subject, AheadRow.is_done.is_(False), tuple_(AheadRow.days, AheadRow.day).in_(due))
    query = select(AheadRow).where(*is_open).order_by(AheadRow.day, AheadRow.days).limit(1)
    row = await session.scalar(query.with_for_update(skip_locked=True).execution_options(populate_existing=True))
    if row is None:
        await session.execute(delete(AheadRow).where(AheadRow.subject == subject, AheadRow.day < today - _KEPT))
        return 0
    begins, ends = (datetime.combine(day, time(), zone) for day in (row.day, row.day + timedelta(days=1)))
    reached = await step(session, Run(row.days, row.day, begins, ends, row.reached))
    row.is_done = reached is None
    row.reached = reached or row.reached
    await session.flush()
    return 1
