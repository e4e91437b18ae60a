"""Updates that were given up."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.alerts.types import AlertKind, Finding
from crm.alerts.watching import watch
from crm.inbox.models import DeadLetterRow

UPDATES = "updates"


@watch(AlertKind.DEAD_LETTERS, UPDATES)
async def dead(session: AsyncSession, _: frozenset[str]) -> list[Finding]:
    """Dead letters that nobody replayed or discarded."""
    query = select(func.count()).where(DeadLetterRow.replayed_at.is_(None))
    number = (await session.execute(query)).scalar_one()
    words = f"{number} inbound updates were given up; replay or discard them."
    return [Finding(UPDATES, words)] if number else []
