"""What is wrong with bots: tokens that are refused, and long pauses that their provider asked for."""

from datetime import timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.alerts.types import AlertKind, Finding
from crm.alerts.watching import watch
from crm.bots.models import BotRow
from crm.bots.service import LONG_PAUSE, REFUSED, paused_words
from crm.bots.types import BotStatus


@watch(AlertKind.BOT_REFUSED)
async def refused(session: AsyncSession, _: frozenset[str]) -> list[Finding]:
    """Bots that stand still until somebody enters a new token."""
    is_refused = (BotRow.status == BotStatus.STOPPED, BotRow.stopped_reason.startswith(REFUSED, autoescape=True))
    rows = await session.execute(select(BotRow.id, BotRow.stopped_reason).where(*is_refused))
    return [Finding(str(bot_id), f"The bot stands still: {reason}.") for bot_id, reason in rows]


@watch(AlertKind.BOT_PAUSED)
async def paused(session: AsyncSession, known: frozenset[str]) -> list[Finding]:
    """Bots whose bulk lane rests for more than ten minutes; until the pause is over."""
    is_long = BotRow.bulk_paused_until > func.siyu_now() + timedelta(seconds=LONG_PAUSE)
    is_known = BotRow.id.in_([int(subject) for subject in known]) & (BotRow.bulk_paused_until > func.siyu_now())
    rows = await session.execute(select(BotRow.id, BotRow.bulk_paused_until).where(or_(is_long, is_known)))
    return [Finding(str(bot_id), paused_words(until)) for bot_id, until in rows if until is not None]
