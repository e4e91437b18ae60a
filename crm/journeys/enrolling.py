"""Members enter: by an event, or because a date came. Once per member and journey, by a unique key."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Date, Integer, Text, cast, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brands
from crm.db import clock
from crm.events.catalogue import JourneyEntered
from crm.events.service import publish_many
from crm.journeys import service
from crm.journeys.models import EnrollmentRow
from crm.journeys.types import Journey, NotCheckedInTrigger, SignedUpTrigger
from crm.profiles.views import profiles

_BATCH = 500


async def enroll_signed_up(session: AsyncSession, member_id: int) -> int:
    """Enter the member into every journey that waits for sign-ups; answers how many."""
    waiting = [item for item in await service.active(session) if isinstance(item.trigger, SignedUpTrigger)]
    entered = 0
    for journey in waiting:
        entered += await _enroll(session, journey, profiles.c.member_id == member_id)
    return entered


async def enroll_absent(session: AsyncSession) -> int:
    """Enter those who have not checked in for the days that an active journey names; answers how many."""
    zone = (await brands.get(session)).time_zone
    today = (await clock.now(session)).astimezone(ZoneInfo(zone)).date()
    entered = 0
    for journey in await service.active(session):
        if isinstance(journey.trigger, NotCheckedInTrigger):
            since = today - timedelta(days=journey.trigger.days)
            joined_on = cast(func.timezone(zone, profiles.c.signed_up_at), Date)
            last = func.coalesce(profiles.c.last_check_in_on, joined_on)
            entered += await _enroll(session, journey, profiles.c.signed_up_at.is_not(None) & (last <= since))
    return entered


async def _enroll(session: AsyncSession, journey: Journey, who: ColumnElement[bool]) -> int:
    now = await clock.now(session)
    inside = select(EnrollmentRow.member_id).where(EnrollmentRow.journey_id == journey.id)
    fresh = (
        select(
            literal(journey.id),
            cast(literal(journey.version), Integer),
            profiles.c.member_id,
            cast(literal(journey.graph.start), Text),
            literal(now),
        )
        .where(who, profiles.c.member_id.not_in(inside))
        .order_by(profiles.c.member_id)
        .limit(_BATCH)
    )
    statement = insert(EnrollmentRow).from_select(["journey_id", "version", "member_id", "node", "due_at"], fresh)
    made = await session.execute(
        statement.on_conflict_do_nothing(index_elements=["journey_id", "member_id"]).returning(
            EnrollmentRow.id, EnrollmentRow.member_id
        )
    )
    rows = made.all()
    facts = [JourneyEntered(member_id=row.member_id, journey_id=journey.id, enrollment_id=row.id) for row in rows]
    await publish_many(session, facts)
    return len(rows)
