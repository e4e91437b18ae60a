"""How far the handling of events is behind."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.events.models import HandoffRow


async def oldest_seconds(session: AsyncSession) -> float:
    """Seconds that the hand-off due longest has waited; 0 when nothing is due. Dead ones do not count."""
    oldest = select(func.min(HandoffRow.due_at)).where(HandoffRow.is_dead.is_(False)).scalar_subquery()
    waited = func.extract("epoch", func.siyu_now() - oldest)
    return max(0.0, float((await session.execute(select(waited))).scalar_one() or 0.0))
