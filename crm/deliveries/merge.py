"""Joining two members: what both were granted under the frequency cap counts together.

Deliveries stay as they were made; whom an open one reaches is found when it is claimed.
"""

from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.deliveries.models import FrequencyRow


class DeliveriesMerge:
    """Adds up the grants of both members."""

    name = "deliveries"

    async def merge(self, session: AsyncSession, keep_id: int, drop_id: int) -> dict[str, Any]:
        """Answers what each had been granted."""
        kept, dropped = await _granted(session, keep_id), await _granted(session, drop_id)
        await _keep(session, keep_id, {**dropped, **kept})
        return {"kept": kept, "dropped": dropped}

    async def undo(self, session: AsyncSession, keep_id: int, drop_id: int, record: dict[str, Any]) -> None:
        """Take the dropped member's grants away again; those since the merge stay with the kept one."""
        now = await _granted(session, keep_id)
        own = {key: value for key, value in now.items() if key not in record["dropped"] or key in record["kept"]}
        await _keep(session, keep_id, own)
        await _keep(session, drop_id, record["dropped"])


async def _granted(session: AsyncSession, member_id: int) -> dict[str, Any]:
    query = select(FrequencyRow.granted).where(FrequencyRow.member_id == member_id).with_for_update()
    return dict(await session.scalar(query) or {})


async def _keep(session: AsyncSession, member_id: int, granted: dict[str, Any]) -> None:
    if not granted:
        await session.execute(delete(FrequencyRow).where(FrequencyRow.member_id == member_id))
        return
    row = insert(FrequencyRow).values(member_id=member_id, granted=granted)
    await session.execute(row.on_conflict_do_update(index_elements=["member_id"], set_={"granted": granted}))


deliveries_merge = DeliveriesMerge()
