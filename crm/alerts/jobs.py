"""Timed work of alerts."""

from crm.alerts import watching
from crm.db.session import Sessions
from crm.jobs.types import tick


@tick("alerts.watch", seconds=10)
async def look(sessions: Sessions) -> int:
    """Let every watch look."""
    await watching.look(sessions, watching.discover())
    return 0
