"""Joining two members' registrations: of two for one activity the better stays, and what the other cost goes back."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.activities.models import ActivityRow, RegistrationRow
from crm.activities.types import RegistrationStatus
from crm.db import moving
from crm.points import service as points

_S = RegistrationStatus
_REGISTRATIONS = RegistrationRow.metadata.tables[RegistrationRow.__tablename__]
_RANK: dict[str, int] = {_S.ATTENDED: 3, _S.REGISTERED: 2, _S.WAITING: 1, _S.CANCELLED: 0}
_TIMES = ("registered_at", "changed_at", "due_at", "asked_at")
Row = dict[str, Any]


class ActivitiesMerge:
    """Moves registrations; nobody has two places at one activity. A free place is given on by the next tick."""

    name = "activities"

    async def merge(self, session: AsyncSession, keep_id: int, drop_id: int) -> dict[str, Any]:
        """Answers the keys of what moved, and the rows that were doubled, with whose they were."""
        mine, theirs = await _rows_of(session, keep_id), await _rows_of(session, drop_id)
        doubled = [_worse(mine[key], theirs[key]) for key in sorted(mine.keys() & theirs.keys())]
        for row in doubled:
            await session.execute(delete(RegistrationRow).where(RegistrationRow.id == row["id"]))
            if row["points"] and row["status"] == _S.REGISTERED:
                key = f"activity_merged:{row['id']}:{row['attempt']}"
                await points.earn(session, keep_id, row["points"], rule=await _title(session, row), key=key)
        moved = await moving.move(session, _REGISTRATIONS, drop_id, keep_id)
        return {"moved": moved, "doubled": [_plain(row) for row in doubled]}

    async def undo(self, session: AsyncSession, keep_id: int, drop_id: int, record: dict[str, Any]) -> None:
        """Move the same back. A place that was given up is not taken again: its registration is a cancelled one."""
        await moving.move_back(session, _REGISTRATIONS, record["moved"], keep_id, drop_id)
        for row in record["doubled"]:
            values = _value(row)
            if values["status"] in {_S.REGISTERED, _S.WAITING}:
                values |= {"status": _S.CANCELLED, "reason": "merged", "due_at": None}
                values |= {"points": 0, "transaction_id": None}
            await session.execute(insert(RegistrationRow).values(values))


async def _rows_of(session: AsyncSession, member_id: int) -> dict[int, Row]:
    found = await session.execute(select(RegistrationRow.__table__).where(RegistrationRow.member_id == member_id))
    return {row["activity_id"]: dict(row) for row in found.mappings()}


def _worse(mine: Row, theirs: Row) -> Row:
    """The one to give up; of two equal ones the dropped member's, of two that wait the later."""
    if mine["status"] == theirs["status"] == _S.WAITING:
        return mine if mine["turn"] > theirs["turn"] else theirs
    return mine if _RANK[mine["status"]] < _RANK[theirs["status"]] else theirs


async def _title(session: AsyncSession, row: Row) -> str:
    query = select(ActivityRow.name).where(ActivityRow.id == row["activity_id"])
    name: dict[str, str] = (await session.execute(query)).scalar_one()
    return name.get("zh-CN") or next(iter(name.values()))


def _plain(row: Row) -> Row:
    dated = {name: row[name] and row[name].isoformat() for name in _TIMES}
    return {**row, **dated, "transaction_id": row["transaction_id"] and str(row["transaction_id"])}


def _value(row: Row) -> Row:
    dated = {name: row[name] and datetime.fromisoformat(row[name]) for name in _TIMES}
    return {**row, **dated, "transaction_id": row["transaction_id"] and UUID(row["transaction_id"])}


activities_merge = ActivitiesMerge()
