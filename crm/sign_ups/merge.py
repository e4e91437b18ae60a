"""Joining the sign-ups of two profiles: the kept one's own counts, else the dropped one's goes over."""

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.sign_ups.models import SignUpRow


class SignUpsMerge:
    """Moves the sign-up when only the dropped profile has one."""

    name = "sign_ups"

    async def merge(self, session: AsyncSession, keep_id: int, drop_id: int) -> dict[str, Any]:
        """Answers whether it was moved."""
        both = select(SignUpRow.member_id).where(SignUpRow.member_id.in_((keep_id, drop_id)))
        is_moved = list(await session.scalars(both)) == [drop_id]
        if is_moved:
            await _move(session, drop_id, keep_id)
        return {"is_moved": is_moved}

    async def undo(self, session: AsyncSession, keep_id: int, drop_id: int, record: dict[str, Any]) -> None:
        """Move it back."""
        if record["is_moved"]:
            await _move(session, keep_id, drop_id)


async def _move(session: AsyncSession, from_id: int, to_id: int) -> None:
    await session.execute(update(SignUpRow).where(SignUpRow.member_id == from_id).values(member_id=to_id))


sign_ups_merge = SignUpsMerge()
