"""Joining the check-ins of two profiles: days that only the dropped one has go over."""

from datetime import date
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm.check_ins import policy, repository
from crm.members import service as members
from crm.profiles import service as profiles


class CheckInsMerge:
    """Moves check-ins and works out both streaks anew."""

    name = "check_ins"

    async def merge(self, session: AsyncSession, keep_id: int, drop_id: int) -> dict[str, Any]:
        """Move the days that the kept member lacks; answers which."""
        kept = await repository.all_days(session, keep_id)
        moved = sorted(set(await repository.all_days(session, drop_id)) - set(kept))
        await self._move(session, drop_id, keep_id, moved)
        return {"moved": [day.isoformat() for day in moved]}

    async def undo(self, session: AsyncSession, keep_id: int, drop_id: int, record: dict[str, Any]) -> None:
        """Move back those days that are still there."""
        there = set(await repository.all_days(session, keep_id)) - set(await repository.all_days(session, drop_id))
        moved = there & {date.fromisoformat(day) for day in record["moved"]}
        await self._move(session, keep_id, drop_id, sorted(moved))

    async def _move(self, session: AsyncSession, from_id: int, to_id: int, days: list[date]) -> None:
        if days:
            await repository.move(session, from_id, to_id, days)
            await _recount(session, from_id)
            await _recount(session, to_id)


async def _recount(session: AsyncSession, member_id: int) -> None:
    days = await repository.all_days(session, member_id)
    streak = policy.streak_of(days, await members.zone(session, member_id))
    await repository.keep_standing(session, member_id, streak, max(days.values(), default=None))
    await profiles.record(
        session,
        member_id,
        streak=streak.current,
        last_check_in_on=streak.last_on,
        check_ins_count=streak.total,
    )


check_ins_merge = CheckInsMerge()
