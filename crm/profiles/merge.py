"""Joining two profiles' own facts: a lead takes over the other's stage; the rest is worked out by its owners."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm.profiles import service
from crm.profiles.types import Stage


class ProfilesMerge:
    """Takes the stage over when the kept member is a lead still."""

    name = "profiles"

    async def merge(self, session: AsyncSession, keep_id: int, drop_id: int) -> dict[str, Any]:
        """Answers the stage taken over, if any."""
        found = await service.get_many(session, [keep_id, drop_id])
        if found[keep_id].stage is not Stage.LEAD or found[drop_id].stage is Stage.LEAD:
            return {"stage": None}
        await service.record(session, keep_id, stage=found[drop_id].stage)
        return {"stage": found[drop_id].stage}

    async def undo(self, session: AsyncSession, keep_id: int, drop_id: int, record: dict[str, Any]) -> None:
        """The kept member is a lead again, unless the stage changed since."""
        del drop_id
        if record["stage"] is not None and (await service.get(session, keep_id)).stage == record["stage"]:
            await service.record(session, keep_id, stage=Stage.LEAD)


profiles_merge = ProfilesMerge()
