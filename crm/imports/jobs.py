"""Queued work of imports."""

from collections.abc import Mapping
from typing import Any

from crm.db.session import Sessions
from crm.imports import running, staging
from crm.imports.service import JOB
from crm.jobs.types import job, tick


@job(JOB)
async def import_members(sessions: Sessions, arguments: Mapping[str, Any]) -> None:
    """Bring a file of members in; running it again goes on where it stopped."""
    await running.run(sessions, int(arguments["import_id"]))


@tick("imports.forget_files", seconds=3600)
async def forget_files(sessions: Sessions) -> int:
    """Keep no file of members for longer than a day."""
    async with sessions.begin() as session:
        return await staging.forget_files(session)
