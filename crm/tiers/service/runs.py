"""Evaluating all members: once a day and after each publication, in ranges, going on where it stopped."""

from datetime import datetime, time

from sqlalchemy import func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brand
from crm.db import clock
from crm.profiles.views import profiles
from crm.tiers import evaluating, repository
from crm.tiers.models import RunRow
from crm.tiers.types import ProgrammeStatus, Reason, Run, RunKind

_SHOWN = 20
_MORNING = time(10)
"""When the day's evaluation begins by the brand's clock, because who falls is told so."""


async def start(session: AsyncSession, version: int, kind: RunKind) -> None:
    """Open an evaluation of everybody; those under way end, because this one covers them."""
    now = await clock.now(session)
    await session.execute(update(RunRow).where(RunRow.finished_at.is_(None)).values(finished_at=now))
    await session.execute(insert(RunRow).values(**await _whole(session), version=version, kind=kind, started_at=now))


async def start_daily(session: AsyncSession) -> bool:
    """Open today's evaluation unless there was one; days are the brand's. Answers whether it did."""
    live = await repository.with_status(session, ProgrammeStatus.LIVE)
    if live is None:
        return False
    now = await clock.now(session)
    zone = await brand.zone(session)
    today = now.astimezone(zone).date()
    if now < datetime.combine(today, _MORNING, zone):
        return False
    midnight = datetime.combine(today, time(), zone)
    is_there = select(RunRow.id).where((RunRow.started_at >= midnight) | RunRow.finished_at.is_(None)).limit(1)
    if (await session.scalar(is_there)) is not None:
        return False
    new = upsert(RunRow).values(**await _whole(session), version=live.version, kind=RunKind.DAILY, started_at=now)
    made = await session.execute(new.on_conflict_do_nothing().returning(RunRow.id))
    return made.scalar_one_or_none() is not None


async def step(session: AsyncSession) -> bool:
    """Evaluate the next range of the open evaluation in the caller's transaction; answers whether there is more.

    A range in which somebody was at work on members is looked at once more.
    """
    query = select(RunRow).where(RunRow.finished_at.is_(None)).with_for_update(skip_locked=True).limit(1)
    row = await session.scalar(query.execution_options(populate_existing=True))
    live = await repository.with_status(session, ProgrammeStatus.LIVE)
    if row is None or live is None:
        return False
    first = select(func.min(profiles.c.member_id)).where(profiles.c.member_id.between(row.next_id, row.until_id))
    member_id = await session.scalar(first)
    if member_id is None:
        row.finished_at = await clock.now(session)
        await session.flush()
        return False
    because = Reason.PROGRAMME if row.kind == RunKind.PUBLISHED else None
    done = await evaluating.many(session, live, member_id, because=because)
    row.up, row.down = row.up + done.up, row.down + done.down
    if not done.left:
        row.next_id = evaluating.range_of(member_id)[1] + 1
    await session.flush()
    return True


async def recent(session: AsyncSession) -> list[Run]:
    """The last evaluations, the newest first."""
    rows = await session.scalars(
        select(RunRow).order_by(RunRow.id.desc()).limit(_SHOWN).execution_options(populate_existing=True)
    )
    return [repository.as_run(row) for row in rows]


async def _whole(session: AsyncSession) -> dict[str, int]:
    last = await session.scalar(select(func.max(profiles.c.member_id)))
    return {"next_id": 0, "until_id": last or 0}
