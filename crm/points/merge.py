"""Joining the points of two profiles: balance and debt go over by postings, and later postings follow the merge."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.kit.ids import uuid7
from crm.points import repository
from crm.points.models import AccountRow
from crm.points.repository import Line
from crm.points.types import Account, EntryKind


class PointsMerge:
    """Moves what the dropped member holds, lot by lot with its expiry, or owes; the sum of all points stays."""

    name = "points"

    async def merge(self, session: AsyncSession, keep_id: int, drop_id: int) -> dict[str, Any]:
        """Answers the signed amount that moved and the postings that took it."""
        await _lock(session, keep_id, drop_id)
        held, owed = await repository.account(session, drop_id)
        record = await _move(session, drop_id, keep_id, held - owed, None)
        await _follow(session, drop_id, keep_id)
        return record

    async def undo(self, session: AsyncSession, keep_id: int, drop_id: int, record: dict[str, Any]) -> None:
        """Move the same amount back; what the kept member spent of it meanwhile becomes their debt."""
        await _follow(session, drop_id, None)
        await _lock(session, keep_id, drop_id)
        await _move(session, keep_id, drop_id, record["points"], record)


async def _lock(session: AsyncSession, *member_ids: int) -> None:
    """In the order of ids, as every merge does."""
    for member_id in sorted(member_ids):
        await session.execute(select(func.siyu_lock_account(member_id)))


async def _follow(session: AsyncSession, drop_id: int, keep_id: int | None) -> None:
    await session.execute(update(AccountRow).where(AccountRow.member_id == drop_id).values(merged_into_id=keep_id))


async def _move(
    session: AsyncSession, from_id: int, to_id: int, points: int, undone: dict[str, Any] | None
) -> dict[str, Any]:
    """Move `points` (a debt when below zero): first who gives, then who gets, with the lots that were given."""
    at = await clock.now(session)
    if points == 0:
        return {"points": 0, "taken_id": None, "taken_at": None}
    taker, giver = (from_id, to_id) if points > 0 else (to_id, from_id)
    key = f"merge:{uuid7(at)}"
    take = Line(
        member_id=taker,
        kind=EntryKind.MERGE,
        key=f"{key}:take",
        points=-abs(points),
        contra=Account.ADJUSTMENT,
        reason="merge" if undone is None else "merge undone",
        occurred_at=at,
        may_owe=True,
    )
    taken = (await repository.post(session, [take]))[0]
    restored = _taken(undone) if undone is not None else (taken.transaction_id, at)
    give = replace(
        take,
        member_id=giver,
        key=f"{key}:give",
        points=abs(points),
        may_owe=False,
        restores_id=restored[0],
        restores_at=restored[1],
    )
    await repository.post(session, [give])
    return {"points": points, "taken_id": str(taken.transaction_id), "taken_at": at.isoformat()}


def _taken(record: dict[str, Any]) -> tuple[UUID, datetime]:
    return UUID(record["taken_id"]), datetime.fromisoformat(record["taken_at"])


points_merge = PointsMerge()
