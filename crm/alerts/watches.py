"""What is wrong with things that lie below alerts: dead letters of every kind, and the safe mode after a restore."""

from sqlalchemy.ext.asyncio import AsyncSession

from crm.alerts.types import AlertKind, Finding
from crm.alerts.watching import watch
from crm.jobs import dead
from crm.recovery import service as recovery


@watch(AlertKind.DEAD_LETTERS)
async def dead_letters(session: AsyncSession, _: frozenset[str]) -> list[Finding]:
    """Kinds of dead letters of which some wait; the box's name is the subject."""
    found = [(name, await box.count(session)) for name, box in dead.boxes().items()]
    words = "{number} were given up; see why, then replay or discard them."
    return [Finding(name, words.format(number=number)) for name, number in found if number]


@watch(AlertKind.SAFE_MODE)
async def safe_mode(session: AsyncSession, _: frozenset[str]) -> list[Finding]:
    """A restored deployment sends nothing until somebody confirms that it may."""
    detail = "This deployment was restored from a backup and sends nothing; check it, then end the safe mode."
    return [Finding("deployment", detail)] if await recovery.is_on(session) else []
