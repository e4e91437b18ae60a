"""Timed work of campaigns."""

from collections.abc import Mapping
from typing import Any

from crm.campaigns import launching
from crm.db.session import Sessions
from crm.jobs.types import job, tick


@job(launching.START_JOB)
async def start_campaign(sessions: Sessions, arguments: Mapping[str, Any]) -> None:
    """Turn the audience into deliveries right after the launch."""
    async with sessions.begin() as session:
        await launching.start(session, int(arguments["campaign_id"]))


@tick("campaigns.due", seconds=1)
async def start_due_campaigns(sessions: Sessions) -> int:
    """Begin what is due, and what a crash left unbegun."""
    async with sessions.begin() as session:
        return await launching.start_due(session) or await launching.start_left_over(session)
