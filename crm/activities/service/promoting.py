"""The waiting list: whoever waits longest gets a place that became free; and ending what is called off."""

from sqlalchemy import Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.activities import policy, repository
from crm.activities.models import ActivityRow, RegistrationRow
from crm.activities.service import registering
from crm.activities.types import Activity, ActivityStatus, Reason, Registration, RegistrationStatus
from crm.db import clock
from crm.events import service as events
from crm.events.loyalty import ActivityPlaceGiven
from crm.members import service as members
from crm.members.types import MemberStatus
from crm.points import service as points
from crm.points.errors import InsufficientPoints
from crm.profiles import service as profiles

_S = RegistrationStatus
_AT_ONCE = 100


async def promote(session: AsyncSession, activity_id: int) -> Registration | None:
    """Give one free place to the first in line who can pay for it; None: none is free, or nobody waits.

    Who works on several members at once must not wait for one: who is busy keeps their turn for the next time.
    Raises ActivityNotFound.
    """
    activity = await repository.activity(session, activity_id, locked=True)
    now = await clock.now(session)
    if activity.status is not ActivityStatus.PUBLISHED or now >= activity.terms.starts_at or activity.left == 0:
        return None
    line = (RegistrationRow.activity_id == activity_id, RegistrationRow.status == _S.WAITING)
    query = repository.REGISTRATIONS.where(*line).order_by(RegistrationRow.turn).limit(_AT_ONCE)
    for known in await repository.registrations(session, query):
        if not await profiles.hold_free(session, [known.member_id]):
            return None  # somebody is at work on them, and may wait for this activity: the next look comes soon
        reason = await _obstacle(session, activity, known)
        if reason is None:
            return await _let_in(session, activity, known)
        await registering.end(session, activity, known, reason, by="system", gives_back=False)
    return None


async def with_free_places(session: AsyncSession) -> list[int]:
    """Activities where somebody waits although a place is free, as after a change of the capacity."""
    waits = _those(_S.WAITING).exists()
    taken = _those(*repository.HAS_PLACE).with_only_columns(func.count()).scalar_subquery()
    is_on = (ActivityRow.status == ActivityStatus.PUBLISHED, ActivityRow.starts_at > await clock.now(session))
    has_room = or_(ActivityRow.capacity.is_(None), ActivityRow.capacity > taken)
    query = select(ActivityRow.id).where(*is_on, waits, has_room).order_by(ActivityRow.id)
    return list(await session.scalars(query))


async def to_call_off(session: AsyncSession) -> list[tuple[int, int]]:
    """Some registrations that are still open at what is called off: (activity, registration)."""
    columns = (RegistrationRow.activity_id, RegistrationRow.id)
    is_open = RegistrationRow.status.in_([_S.REGISTERED, _S.WAITING])
    joined = select(*columns).join(ActivityRow, ActivityRow.id == RegistrationRow.activity_id)
    query = joined.where(ActivityRow.status == ActivityStatus.CALLED_OFF, is_open).order_by(RegistrationRow.id)
    return [(row.activity_id, row.id) for row in await session.execute(query.limit(_AT_ONCE))]


async def end_called_off(session: AsyncSession, activity_id: int, registration_id: int) -> bool:
    """Cancel one of them and give back what was paid; False when it was ended meanwhile."""
    await members.enter(session, (await repository.registration(session, registration_id)).member_id)
    activity = await repository.activity(session, activity_id, locked=True)
    known = await repository.registration(session, registration_id)
    if known.status not in {_S.REGISTERED, _S.WAITING}:
        return False
    await registering.end(session, activity, known, Reason.CALLED_OFF, by="system", gives_back=True)
    return True


async def _obstacle(session: AsyncSession, activity: Activity, known: Registration) -> Reason | None:
    """Why the member cannot have the place; None: it is paid."""
    if (await members.get(session, known.member_id)).status is not MemberStatus.ACTIVE:
        return Reason.GONE
    return None if await _pays(session, activity, known) else Reason.POINTS


async def _pays(session: AsyncSession, activity: Activity, known: Registration) -> bool:
    if not activity.terms.points:
        return True
    if await points.balance(session, known.member_id) < activity.terms.points:
        return False
    try:
        async with session.begin_nested():
            await registering.pay(session, activity, known)
    except InsufficientPoints:
        return False
    return True


async def _let_in(session: AsyncSession, activity: Activity, known: Registration) -> Registration:
    due_at = policy.next_reminder(activity.terms, await clock.now(session))
    await registering.set_status(session, known.id, _S.REGISTERED, by="system", due_at=due_at)
    fact = ActivityPlaceGiven(
        member_id=known.member_id,
        activity_id=activity.id,
        registration_id=known.id,
        points=activity.terms.points,
    )
    await events.publish(session, fact)
    return await repository.registration(session, known.id)


def _those(*statuses: RegistrationStatus) -> Select[int]:
    here = (RegistrationRow.activity_id == ActivityRow.id, RegistrationRow.status.in_(statuses))
    return select(RegistrationRow.id).where(*here).correlate(ActivityRow)
