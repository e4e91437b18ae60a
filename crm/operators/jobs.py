"""Clearing away of what has expired."""

from sqlalchemy import delete

from crm.db import clock
from crm.db.session import Sessions
from crm.jobs.types import tick
from crm.operators import idempotency
from crm.operators.models import ChatCodeRow, LinkRow, SessionRow
from crm.operators.policy import IDLE


@tick("operators.clear_expired", seconds=900)
async def clear_expired(sessions: Sessions) -> int:
    """Remove ended sessions, links and chat codes, and old idempotency keys; nothing is left to do at once."""
    async with sessions.begin() as session:
        now = await clock.now(session)
        await session.execute(
            delete(SessionRow).where((SessionRow.expires_at < now) | (SessionRow.last_seen_at < now - IDLE))
        )
        await session.execute(delete(LinkRow).where(LinkRow.expires_at < now))
        await session.execute(delete(ChatCodeRow).where(ChatCodeRow.expires_at < now))
        await idempotency.forget_old(session)
    return 0
