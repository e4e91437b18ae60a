"""Joining two members' redemptions: they go over, and what each has had is counted together."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import moving
from crm.rewards.models import RedemptionRow, RewardCountRow

_REDEMPTIONS = RedemptionRow.metadata.tables[RedemptionRow.__tablename__]
_COUNTS = RedemptionRow.metadata.tables[RewardCountRow.__tablename__]


class RewardsMerge:
    """Moves redemptions and counts."""

    name = "rewards"

    async def merge(self, session: AsyncSession, keep_id: int, drop_id: int) -> dict[str, Any]:
        """Answers the keys of the redemptions that moved and the counts that were added."""
        moved = await moving.move(session, _REDEMPTIONS, drop_id, keep_id)
        counts = await moving.take_counts(session, _COUNTS, drop_id)
        await moving.add_counts(session, _COUNTS, keep_id, counts)
        return {"moved": moved, "counts": counts}

    async def undo(self, session: AsyncSession, keep_id: int, drop_id: int, record: dict[str, Any]) -> None:
        """Move the same redemptions and counts back."""
        await moving.move_back(session, _REDEMPTIONS, record["moved"], keep_id, drop_id)
        await moving.add_counts(session, _COUNTS, keep_id, record["counts"], -1)
        await moving.add_counts(session, _COUNTS, drop_id, record["counts"])


rewards_merge = RewardsMerge()
