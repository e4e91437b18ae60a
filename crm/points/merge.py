"""Joining the points of two profiles: what is held and owed goes over by postings; later postings follow the merge.

An undo moves the same amount back, less what ran out meanwhile, which would have run out anyway. What the kept member
spent of it becomes their debt even where the brand writes such points off: the sum over both stays what it was.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock, moving
from crm.kit.ids import uuid7
from crm.points import repository
from crm.points.counted import CountersMerge
from crm.points.models import AccountRow, HoldRow, PendingRow
from crm.points.repository import Line
from crm.points.types import Account, EntryKind

_ASIDE = {
    Account.PENDING: PendingRow.metadata.tables[PendingRow.__tablename__],
    Account.HELD: HoldRow.metadata.tables[HoldRow.__tablename__],
}
_RAN_OUT = text("""
    SELECT coalesce(sum(u.amount), 0)::bigint FROM point_lots l
    JOIN lot_uses u ON u.lot_id = l.id
    JOIN ledger_transactions t ON t.id = u.transaction_id AND t.occurred_at = u.occurred_at
    WHERE l.member_id = :member_id AND l.transaction_id = :given_id AND t.kind = 'expire'
""")


class PointsMerge:
    """Moves what the dropped member holds, lot by lot with its expiry, or owes; the sum of all points stays."""

    name = "points"

    async def merge(self, session: AsyncSession, keep_id: int, drop_id: int) -> dict[str, Any]:
        """Answers the signed amount that moved, the postings that took it, and what was pending or held."""
        aside = {side.value: await moving.move(session, table, drop_id, keep_id) for side, table in _ASIDE.items()}
        for side in _ASIDE:
            await _shift(session, side, drop_id, keep_id, aside[side.value])
        held, owed = await repository.account(session, drop_id)
        record = await _move(session, drop_id, keep_id, held - owed, None)
        await _follow(session, drop_id, keep_id)
        return record | {"aside": aside}

    async def undo(self, session: AsyncSession, keep_id: int, drop_id: int, record: dict[str, Any]) -> None:
        """Move the same amount back, and what is still pending or held of theirs."""
        await _follow(session, drop_id, None)
        for side, table in _ASIDE.items():
            keys = record.get("aside", {}).get(side.value, [])
            own = [row.key for row in await session.execute(_open(side, keep_id, keys))]
            await moving.move_back(session, table, keys, keep_id, drop_id)
            await _shift(session, side, keep_id, drop_id, [[key] for key in own])
        await _move(session, keep_id, drop_id, record["points"] - await _ran_out(session, keep_id, record), record)


def _open(side: Account, member_id: int, keys: moving.Keys) -> Any:
    columns = _ASIDE[side].c
    return select(columns.key).where(columns.key.in_([key[0] for key in keys]), columns.member_id == member_id)


async def _shift(session: AsyncSession, side: Account, from_id: int, to_id: int, keys: moving.Keys) -> None:
    """Carry the sum of these pending or held points, whose rows have moved, from one account to the other."""
    columns = _ASIDE[side].c
    sums = select(func.coalesce(func.sum(columns.points), 0)).where(columns.key.in_([key[0] for key in keys]))
    points = int((await session.execute(sums)).scalar_one())
    if not points:
        return
    at = await clock.now(session)
    take = Line(
        member_id=from_id,
        kind=EntryKind.MERGE,
        key=f"merge:{uuid7(at)}:{side}:take",
        points=-points,
        contra=Account.ADJUSTMENT,
        reason="merge",
        occurred_at=at,
    )
    await repository.shift(session, side, take)
    give = replace(take, member_id=to_id, key=take.key.removesuffix("take") + "give", points=points)
    await repository.shift(session, side, give)


async def _ran_out(session: AsyncSession, keep_id: int, record: dict[str, Any]) -> int:
    """How much of what was given to the kept member has expired since."""
    if record["points"] <= 0 or "given_id" not in record:
        return 0
    values = {"member_id": keep_id, "given_id": UUID(record["given_id"])}
    return int((await session.execute(_RAN_OUT, values)).scalar_one())


async def _follow(session: AsyncSession, drop_id: int, keep_id: int | None) -> None:
    await session.execute(update(AccountRow).where(AccountRow.member_id == drop_id).values(merged_into_id=keep_id))


async def _move(
    session: AsyncSession, from_id: int, to_id: int, points: int, undone: dict[str, Any] | None
) -> dict[str, Any]:
    """Move `points` (a debt when below zero): first who gives, then who gets, with the lots that were given."""
    at = await clock.now(session)
    if points == 0:
        return {"points": 0, "taken_id": None, "taken_at": None, "given_id": None}
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
    # an undo gives back the lots that the merge took, not those that it takes now
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
    given = (await repository.post(session, [give]))[0]
    ids = {"taken_id": str(taken.transaction_id), "given_id": str(given.transaction_id)}
    return {"points": points, "taken_at": at.isoformat(), **ids}


def _taken(record: dict[str, Any]) -> tuple[UUID, datetime]:
    return UUID(record["taken_id"]), datetime.fromisoformat(record["taken_at"])


points_merge = PointsMerge()
counters_merge = CountersMerge()
