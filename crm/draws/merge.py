"""Joining two members' draws: plays go over with the number that they were made with; chances are added."""

from datetime import date
from typing import Any

from sqlalchemy import case, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import moving
from crm.draws.models import PlayerRow, PlayRow

_PLAYS = PlayRow.metadata.tables[PlayRow.__tablename__]


class DrawsMerge:
    """Moves plays, adds chances. What each used of a day counts together; attempts stay with their number."""

    name = "draws"

    async def merge(self, session: AsyncSession, keep_id: int, drop_id: int) -> dict[str, Any]:
        """Answers the keys of the plays that moved and the rows that were added to the kept member's."""
        moved = await moving.move(session, _PLAYS, drop_id, keep_id)
        columns = [column for column in PlayerRow.__table__.c if column.name != "member_id"]
        own = PlayerRow.member_id == drop_id
        rows = [dict(row) for row in (await session.execute(select(*columns).where(own))).mappings()]
        await session.execute(delete(PlayerRow).where(own))
        for row in rows:
            await _add(session, keep_id, row)
        return {"moved": moved, "players": [{**row, "day": row["day"].isoformat()} for row in rows]}

    async def undo(self, session: AsyncSession, keep_id: int, drop_id: int, record: dict[str, Any]) -> None:
        """Move the same plays back, and the chances as far as they are still there."""
        await moving.move_back(session, _PLAYS, record["moved"], keep_id, drop_id)
        for kept in record["players"]:
            row = {**kept, "day": date.fromisoformat(kept["day"])}
            here = (PlayerRow.draw_id == row["draw_id"], PlayerRow.member_id == keep_id)
            query = select(PlayerRow.extra).where(*here).with_for_update()
            extra = min(row["extra"], await session.scalar(query) or 0)
            await session.execute(update(PlayerRow).where(*here).values(extra=PlayerRow.extra - extra))
            await session.execute(insert(PlayerRow).values({**row, "member_id": drop_id, "extra": extra}))


async def _add(session: AsyncSession, keep_id: int, row: dict[str, Any]) -> None:
    new = upsert(PlayerRow).values({**row, "member_id": keep_id, "attempts": 0})
    later = case((PlayerRow.day < row["day"], row["day"]), else_=PlayerRow.day)

    def counted(name: str) -> Any:
        """Of the later of the two days."""
        column = getattr(PlayerRow, name)
        return case(
            (PlayerRow.day < row["day"], row[name]), (PlayerRow.day > row["day"], column), else_=column + row[name]
        )

    both = {"day": later, "extra": PlayerRow.extra + row["extra"], "free": counted("free"), "bought": counted("bought")}
    await session.execute(new.on_conflict_do_update(index_elements=["draw_id", "member_id"], set_=both))


draws_merge = DrawsMerge()
