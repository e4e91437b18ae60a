"""Moving the clock of one transaction, so that months can be lived in a minute."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock


async def set_clock(session: AsyncSession, moment: datetime) -> None:
    """From now on it is `moment` in this transaction."""
    await session.execute(text("SELECT set_config('siyu.now', :now, true)"), {"now": moment.isoformat()})
    clock.remember(session, moment)
