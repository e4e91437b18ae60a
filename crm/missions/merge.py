"""Joining two members' missions and badges: what each did in a window counts together."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.missions.models import HeldBadgeRow, MissionRow, ProgressRow

Row = dict[str, Any]


class MissionsMerge:
    """Joins progress step by step, up to what each step asks for; of two equal badges the kept member's stays."""

    name = "missions"

    async def merge(self, session: AsyncSession, keep_id: int, drop_id: int) -> dict[str, Any]:
        """Answers what moved, and what was joined with rows that the kept member had."""
        moved, joined = list[Row](), list[Row]()
        for row in await _rows_of(session, ProgressRow, drop_id):
            is_joined = await _join(session, keep_id, row)
            (joined if is_joined else moved).append(_plain(row))
        badges, doubled = list[Row](), list[Row]()
        held = {row["badge_id"] for row in await _rows_of(session, HeldBadgeRow, keep_id)}
        for row in await _rows_of(session, HeldBadgeRow, drop_id):
            (doubled if row["badge_id"] in held else badges).append(_plain(row))
        for table in (ProgressRow, HeldBadgeRow):
            await session.execute(delete(table).where(table.member_id == drop_id))
        await _insert(session, ProgressRow, moved, keep_id)
        await _insert(session, HeldBadgeRow, badges, keep_id)
        return {"moved": moved, "joined": joined, "badges": badges, "doubled": doubled}

    async def undo(self, session: AsyncSession, keep_id: int, drop_id: int, record: dict[str, Any]) -> None:
        """Give all of it back; progress that was made since stays with the kept member."""
        for row in record["moved"]:
            here = _here(keep_id, row)
            await session.execute(update(ProgressRow).where(*here).values(member_id=drop_id))
        for row in record["joined"]:
            await _part(session, keep_id, row)
        for row in record["badges"]:
            own = (HeldBadgeRow.badge_id == row["badge_id"], HeldBadgeRow.member_id == keep_id)
            await session.execute(update(HeldBadgeRow).where(*own).values(member_id=drop_id))
        await _insert(
            session, ProgressRow, [{k: v for k, v in row.items() if k != "added"} for row in record["joined"]], drop_id
        )
        await _insert(session, HeldBadgeRow, record["doubled"], drop_id)


async def _rows_of(session: AsyncSession, table: type[ProgressRow | HeldBadgeRow], member_id: int) -> list[Row]:
    columns = [column for column in table.__table__.c if column.name != "member_id"]
    found = await session.execute(select(*columns).where(table.member_id == member_id))
    return [dict(row) for row in found.mappings()]


async def _join(session: AsyncSession, keep_id: int, row: Row) -> bool:
    """Add the row to the kept member's of the same window, noting in it what was added; False: there is none."""
    here = _here(keep_id, row)
    kept = (await session.execute(select(ProgressRow.counts, ProgressRow.completed_at).where(*here))).one_or_none()
    if kept is None:
        return False
    steps = await session.scalar(select(MissionRow.steps).where(MissionRow.id == row["mission_id"]))
    wanted = [step["count"] for step in steps or []]
    pairs = zip(kept.counts, row["counts"], wanted, strict=True)
    counts = [min(mine + other, most) for mine, other, most in pairs]
    row["added"] = [after - before for after, before in zip(counts, kept.counts, strict=True)]
    values = {"counts": counts, "completed_at": kept.completed_at or row["completed_at"]}
    await session.execute(update(ProgressRow).where(*here).values(values))
    return True


async def _part(session: AsyncSession, keep_id: int, row: Row) -> None:
    """Take off what joining had added."""
    here = _here(keep_id, row)
    kept = (await session.execute(select(ProgressRow.counts, ProgressRow.completed_at).where(*here))).one_or_none()
    if kept is None:
        return
    counts = [max(0, count - added) for count, added in zip(kept.counts, row["added"], strict=True)]
    is_others = row["completed_at"] is not None and kept.completed_at == datetime.fromisoformat(row["completed_at"])
    values = {"counts": counts, "completed_at": None if is_others else kept.completed_at}
    await session.execute(update(ProgressRow).where(*here).values(values))


async def _insert(
    session: AsyncSession, table: type[ProgressRow | HeldBadgeRow], rows: list[Row], member_id: int
) -> None:
    values = [{**_restored(row), "member_id": member_id} for row in rows]
    if values:
        await session.execute(insert(table), values)


def _here(member_id: int, row: Row) -> tuple[Any, ...]:
    same = (ProgressRow.mission_id == row["mission_id"], ProgressRow.window == row["window"])
    return (*same, ProgressRow.member_id == member_id)


def _plain(row: Row) -> Row:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}


def _restored(row: Row) -> Row:
    return {
        name: datetime.fromisoformat(value) if name.endswith("_at") and value is not None else value
        for name, value in row.items()
    }


missions_merge = MissionsMerge()
