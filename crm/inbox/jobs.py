"""Timed work of the inbox; the sweeping itself needs the dispatcher and is bound by runtime."""

from crm.db.session import Sessions
from crm.inbox import service
from crm.jobs.types import tick


@tick("inbox.forget_keys", seconds=600)
async def forget_keys(sessions: Sessions) -> int:
    """Remove update keys that are old enough."""
    async with sessions.begin() as session:
        return await service.forget_keys(session)
