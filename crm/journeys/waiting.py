"""Which kinds of events active journeys wait for: only those are handed to them."""

from collections.abc import Sequence

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.events import wishes
from crm.journeys.models import JourneyRow, VersionRow
from crm.journeys.types import JourneyStatus

EVENTS = "journeys.event"
"""The subscriber to whom they go."""
_LOCK = 0x5159_0033


async def renew(session: AsyncSession) -> None:
    """After a journey was activated, changed or paused; one after the other, for each writes all of them."""
    await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    await wishes.wish(session, EVENTS, await _kinds(session))


async def _kinds(session: AsyncSession) -> Sequence[str]:
    current = (VersionRow.journey_id == JourneyRow.id) & (VersionRow.version == JourneyRow.version)
    kind = VersionRow.trigger["event"].astext
    query = select(kind).join(JourneyRow, current).where(JourneyRow.status == JourneyStatus.ACTIVE, kind.is_not(None))
    return (await session.scalars(query.distinct())).all()
