"""Use cases of recovery: noting backups, asking for the safe mode and ending it."""

from datetime import UTC, datetime

from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.recovery.errors import AlreadyInSafeModeError, NotInSafeModeError
from crm.recovery.models import BackupRow, SafeModeRow
from crm.recovery.types import Backup, SafeMode

REVISION = "r0021"
"""The first revision of the schema that knows the safe mode: no older one is restored."""
_END_OTHERS = "UPDATE safe_mode SET ended_at = siyu_now(), ended_by = 'restore' WHERE ended_at IS NULL"
_BEGIN = (
    "INSERT INTO safe_mode (backup_made_at, last_reply)"
    " SELECT {made_at}, coalesce(max(position), 0) FROM delivery_replies"
)


def start_script(backup_made_at: datetime) -> str:
    """The SQL that begins the safe mode, for the transaction in which a backup is restored."""
    made_at = f"TIMESTAMPTZ '{backup_made_at.astimezone(UTC).isoformat()}'"
    return f"{_END_OTHERS};\n{_BEGIN.replace('{made_at}', made_at)};"


async def start(session: AsyncSession) -> None:
    """Begin the safe mode of a database that was recovered by other means. Raises AlreadyInSafeModeError."""
    if await is_on(session):
        raise AlreadyInSafeModeError
    await session.execute(text(_BEGIN.replace("{made_at}", "siyu_now()")))


async def current(session: AsyncSession) -> SafeMode | None:
    """The safe mode that is on, or None."""
    row = await session.scalar(select(SafeModeRow).where(SafeModeRow.ended_at.is_(None)))
    return None if row is None else SafeMode(row.started_at, row.backup_made_at, row.last_reply)


async def is_on(session: AsyncSession) -> bool:
    """Whether nothing may be sent."""
    return await current(session) is not None


async def end(session: AsyncSession, *, by: str) -> SafeMode:
    """End the safe mode, once; what was held is the business of who calls. Raises NotInSafeModeError."""
    ended = await session.execute(
        update(SafeModeRow)
        .where(SafeModeRow.ended_at.is_(None))
        .values(ended_at=await clock.now(session), ended_by=by)
        .returning(SafeModeRow.started_at, SafeModeRow.backup_made_at, SafeModeRow.last_reply)
    )
    row = ended.one_or_none()
    if row is None:
        raise NotInSafeModeError
    return SafeMode(*row)


async def note_backup(session: AsyncSession, backup: Backup) -> None:
    """Remember that a backup was made, so that somebody can be told when the last one is old."""
    await session.execute(insert(BackupRow).values(vars(backup)))


async def last_backup(session: AsyncSession) -> Backup | None:
    """The newest backup of this database, or None."""
    row = await session.scalar(select(BackupRow).order_by(BackupRow.made_at.desc()).limit(1))
    return None if row is None else Backup(row.made_at, row.name, row.size, row.sha256)
