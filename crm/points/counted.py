"""Joining two members' counters of caps: what both were given counts together, so that a merge opens no cap."""

import json
from typing import Any

from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.points.models import EarningCounterRow

_COLUMNS = (
    EarningCounterRow.rule_id,
    EarningCounterRow.period,
    EarningCounterRow.starts_on,
    EarningCounterRow.points,
)
_ADD = text("""
    INSERT INTO earning_counters AS c (rule_id, member_id, period, starts_on, points)
    SELECT rule_id, :member_id, period, starts_on, :sign * points
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS r (rule_id bigint, period text, starts_on date, points bigint)
    ON CONFLICT (rule_id, member_id, period, starts_on) DO UPDATE SET points = greatest(c.points + excluded.points, 0)
""")


class CountersMerge:
    """Adds the dropped member's counters to the kept member's."""

    name = "earning_counters"

    async def merge(self, session: AsyncSession, keep_id: int, drop_id: int) -> dict[str, Any]:
        """Answers the counters that were added."""
        own = EarningCounterRow.member_id == drop_id
        found = (await session.execute(select(*_COLUMNS).where(own))).mappings().all()
        await session.execute(delete(EarningCounterRow).where(own))
        record = [{**row, "starts_on": row["starts_on"].isoformat()} for row in found]
        await _add(session, keep_id, record, 1)
        return {"counters": record}

    async def undo(self, session: AsyncSession, keep_id: int, drop_id: int, record: dict[str, Any]) -> None:
        """Count the same apart again."""
        await _add(session, keep_id, record["counters"], -1)
        await _add(session, drop_id, record["counters"], 1)


async def _add(session: AsyncSession, member_id: int, rows: list[dict[str, Any]], sign: int) -> None:
    if rows:
        await session.execute(_ADD, {"member_id": member_id, "rows": json.dumps(rows), "sign": sign})
