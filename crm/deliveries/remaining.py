"""How long the rest of a source takes at the rates of the bots that have to send it."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.bots import views as bots
from crm.db import clock
from crm.deliveries.channels import traits_of
from crm.deliveries.models import ChunkRow, SourceRow
from crm.deliveries.rates import USUAL_RATE


async def seconds_left(session: AsyncSession, source_kind: str, source_id: int | str, waiting: int) -> float:
    """Seconds in which `waiting` messages go out; the bots send side by side, so the one that takes longest decides.

    Each bot's share is judged by its chunks that are due, of which those in work count as a whole. 0 when nothing is.
    """
    left = func.coalesce(ChunkRow.tally["queued"].as_integer(), ChunkRow.size)
    bot = bots.bots.c
    query = (
        select(func.sum(left).label("number"), bot.channel, bot.bulk_rate, SourceRow.paid_limit)
        .join(SourceRow, SourceRow.id == ChunkRow.broadcast_id)
        .outerjoin(bots.bots, bot.id == ChunkRow.bot_id)
        .where(
            SourceRow.source_kind == source_kind,
            SourceRow.source_id == str(source_id),
            ChunkRow.is_done.is_(False),
            ChunkRow.not_before <= await clock.now(session),
        )
        .group_by(bot.id, bot.channel, bot.bulk_rate, SourceRow.paid_limit)
    )
    shares: list[tuple[int, float]] = []
    for row in await session.execute(query):
        rate = row.bulk_rate or USUAL_RATE
        if row.paid_limit is not None and row.channel is not None:
            rate = traits_of(session, row.channel).paid_rate or rate
        shares.append((int(row.number or 0), rate))
    total = sum(number for number, _ in shares)
    return max((waiting * number / total / rate for number, rate in shares), default=0.0) if total else 0.0
