"""Members enter: by an event, or because a day came. Once per journey, member and cause, by a unique key."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    Date,
    DateTime,
    Integer,
    Select,
    Text,
    cast,
    exists,
    func,
    literal,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from crm.brand import service as brands
from crm.db import clock
from crm.events.catalogue import JourneyEntered
from crm.events.service import publish_many
from crm.events.types import RecordedEvent
from crm.journeys import facts, service, yearly
from crm.journeys.models import EnrollmentRow
from crm.journeys.triggers import DateTrigger, EventTrigger, NotCheckedInTrigger, SignedUpTrigger
from crm.journeys.types import Journey
from crm.members import service as members
from crm.members.errors import MemberNotFound
from crm.profiles.views import profiles

_BATCH = 500
_ONCE = ""
"""The cause of those who enter once and never again."""
_A_YEAR = timedelta(days=300)
"""Who changes a birthday is not given another one in the same year."""
_IN_LINE = text("SELECT pg_advisory_xact_lock(hashtextextended('journeys', :member_id))")


async def enroll_signed_up(session: AsyncSession, member_id: int) -> int:
    """Enter the member into every journey that waits for sign-ups; answers how many."""
    waiting = [item for item in await service.active(session) if isinstance(item.trigger, SignedUpTrigger)]
    entered = 0
    for journey in waiting:
        entered += await _enroll(session, journey, _once(profiles.c.member_id == member_id))
    return entered


async def enroll_by_event(session: AsyncSession, event: RecordedEvent) -> int:
    """Enter the event's member into every journey that waits for such an event; answers how many."""
    waiting = [
        (item, item.trigger)
        for item in await service.active(session)
        if isinstance(item.trigger, EventTrigger) and item.trigger.event == event.kind
    ]
    fitting = [(journey, trigger) for journey, trigger in waiting if trigger.fits(event.data)]
    if event.member_id is None or not fitting:
        return 0
    try:
        member_id = await members.current_id(session, event.member_id)
    except MemberNotFound:
        return 0
    await session.execute(_IN_LINE, {"member_id": member_id})
    said = await facts.of_event(session, event)
    entered = 0
    for journey, trigger in fitting:
        values = (cast(literal(str(event.id)), Text).label("cause"), literal(said, JSONB).label("facts"))
        asked = select(profiles.c.member_id, *values).where(profiles.c.member_id == member_id)
        entered += await _enroll(session, journey, asked, timedelta(days=trigger.rest_days))
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
            who = profiles.c.signed_up_at.is_not(None) & (last <= since)
            entered += await _enroll(session, journey, _once(who))
    return entered


async def enroll_yearly(session: AsyncSession) -> int:
    """Enter those whose birthday or sign-up an active journey keeps; answers how many."""
    zone, now = (await brands.get(session)).time_zone, await clock.now(session)
    entered = 0
    for journey in await service.active(session):
        if isinstance(journey.trigger, DateTrigger):
            entered += await _enroll(session, journey, yearly.entering(journey.trigger, now, zone), _A_YEAR)
    return entered


def _once(who: ColumnElement[bool]) -> Select[Any]:
    values = (cast(literal(_ONCE), Text).label("cause"), literal({}, JSONB).label("facts"))
    return select(profiles.c.member_id, *values).where(who)


async def _enroll(session: AsyncSession, journey: Journey, asked: Select[Any], rest: timedelta = timedelta(0)) -> int:
    """Enter those of `asked` (member_id, cause, facts) who did not for that cause, nor for any within `rest`."""
    now = await clock.now(session)
    statement = upsert(EnrollmentRow).from_select(
        ["journey_id", "version", "member_id", "cause", "occurrence", "facts", "node", "due_at"],
        _fresh(journey, asked, now, rest),
    )
    made = await session.execute(
        statement.on_conflict_do_nothing(index_elements=["journey_id", "member_id", "cause"]).returning(
            EnrollmentRow.id, EnrollmentRow.member_id
        )
    )
    rows = made.all()
    entered = [JourneyEntered(member_id=row.member_id, journey_id=journey.id, enrollment_id=row.id) for row in rows]
    await publish_many(session, entered)
    return len(rows)


def _fresh(journey: Journey, asked: Select[Any], now: datetime, rest: timedelta) -> Select[Any]:
    who, before, counted = asked.subquery("asked"), aliased(EnrollmentRow), aliased(EnrollmentRow)
    is_same = before.cause == who.c.cause
    if rest:
        is_same |= before.entered_at > literal(now - rest, DateTime(timezone=True))
    had = exists().where(before.journey_id == journey.id, before.member_id == who.c.member_id, is_same)
    times = select(func.count()).where(counted.journey_id == journey.id, counted.member_id == who.c.member_id)
    return (
        select(
            literal(journey.id),
            cast(literal(journey.version), Integer),
            who.c.member_id,
            who.c.cause,
            cast(times.correlate(who).scalar_subquery(), Integer),
            who.c.facts,
            cast(literal(journey.graph.start), Text),
            literal(now),
        )
        .where(~had)
        .order_by(who.c.member_id)
        .limit(_BATCH)
    )
