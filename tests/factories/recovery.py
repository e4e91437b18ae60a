"""A database that was just restored, as the command leaves it."""

from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.recovery import service

BACKUP_AT = datetime(2026, 3, 1, tzinfo=UTC)


async def enter_safe_mode(session: AsyncSession) -> None:
    """What a restore does in the end."""
    for statement in service.start_script(BACKUP_AT).split(";"):
        if statement.strip():
            await session.execute(text(statement.replace(":", "\\:")))
