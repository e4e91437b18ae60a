"""Housekeeping of the event log."""

from datetime import timedelta

from sqlalchemy import delete

from crm.db import clock
from crm.db.session import Sessions
from crm.events.models import EventKeyRow
from crm.jobs.types import tick

KEYS_KEPT = timedelta(days=30)


@tick("events.forget_keys", seconds=3600)
async def forget_keys(sessions: Sessions) -> int:
    """Remove idempotency keys that nobody repeats any more."""
    async with sessions.begin() as session:
        before = await clock.now(session) - KEYS_KEPT
        await session.execute(delete(EventKeyRow).where(EventKeyRow.kept_since < before))
    return 0
