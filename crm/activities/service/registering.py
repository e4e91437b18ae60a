"""Registering and cancelling: place and points in one transaction; of many who want the last place, one gets it."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.activities import policy, repository
from crm.activities.errors import ActivityBegun, AlreadyAttended, NotRegistered
from crm.activities.models import RegistrationRow
from crm.activities.service.definitions import title
from crm.activities.types import Activity, Reason, Registration, RegistrationStatus
from crm.db import clock
from crm.events import service as events
from crm.events.loyalty import ActivityCancelled, ActivityRegistered
from crm.members import service as members
from crm.members.errors import MemberGone
from crm.members.types import MemberStatus
from crm.points import service as points
from crm.profiles import service as profiles

_S = RegistrationStatus


async def register(session: AsyncSession, member_id: int, activity_id: int, *, by: str = "member") -> Registration:
    """A place, paid for, or one in the waiting list, which costs nothing yet; who has one already keeps it.

    Raises ActivityNotFound, ActivityNotOpen, ActivityNotYet, RegistrationOver, ActivityTier, ActivityFull,
    InsufficientPoints, MemberNotFound, MemberGone.
    """
    member = await members.get(session, await members.enter(session, member_id))
    member_id = member.id
    if member.status is not MemberStatus.ACTIVE:
        raise MemberGone(member_id=member_id)
    # From here to the commit nobody else gets or gives back a place here.
    activity = await repository.activity(session, activity_id, locked=True)
    known = await repository.find(session, activity_id, member_id)
    if known is not None and known.status is not _S.CANCELLED:
        return replace(known, place_in_line=await place_in_line(session, known))
    profile = await profiles.get(session, member_id)
    obstacle = policy.obstacle(activity, profile, await clock.now(session))
    if obstacle is not None:
        raise obstacle
    status = _S.WAITING if activity.is_full else _S.REGISTERED
    made = await _keep(session, activity, known or member_id, status, by)
    if status is _S.REGISTERED:
        await pay(session, activity, made)
    fact = ActivityRegistered(
        member_id=member_id,
        activity_id=activity_id,
        registration_id=made.id,
        is_waiting=status is _S.WAITING,
        points=activity.terms.points,
    )
    await events.publish(session, fact)
    made = await repository.registration(session, made.id)
    return replace(made, place_in_line=await place_in_line(session, made), is_new=True)


async def cancel(session: AsyncSession, member_id: int, activity_id: int) -> Registration:
    """The member does not come; in time, what was paid goes back.

    Raises ActivityNotFound, NotRegistered, AlreadyAttended, ActivityBegun.
    """
    member_id = await members.enter(session, member_id)
    activity = await repository.activity(session, activity_id, locked=True)
    now = await clock.now(session)
    known = await _open(session, activity_id, member_id)
    if now >= activity.terms.starts_at:
        raise ActivityBegun
    in_time = policy.gets_points_back(activity.terms, now)
    return await end(session, activity, known, Reason.MEMBER, by="member", gives_back=in_time)


async def cancel_for(
    session: AsyncSession, member_id: int, activity_id: int, *, by: str, gives_back: bool = True
) -> Registration:
    """An operator cancels, also after the start. Raises ActivityNotFound, NotRegistered, AlreadyAttended."""
    member_id = await members.enter(session, member_id)
    activity = await repository.activity(session, activity_id, locked=True)
    known = await _open(session, activity_id, member_id)
    return await end(session, activity, known, Reason.OPERATOR, by=by, gives_back=gives_back)


async def get(session: AsyncSession, registration_id: int) -> Registration:
    """One registration. Raises RegistrationNotFound."""
    return await repository.registration(session, registration_id)


async def end(
    session: AsyncSession, activity: Activity, known: Registration, reason: Reason, *, by: str, gives_back: bool
) -> Registration:
    """Cancel a registration that is open; the activity's row must be held."""
    returned = await _give_back(session, activity, known) if gives_back else 0
    await set_status(session, known.id, _S.CANCELLED, by=by, reason=reason, due_at=None)
    fact = ActivityCancelled(
        member_id=known.member_id,
        activity_id=activity.id,
        registration_id=known.id,
        was_waiting=known.status is _S.WAITING,
        points_returned=returned,
        reason=reason.value,
    )
    await events.publish(session, fact)
    return await repository.registration(session, known.id)


async def pay(session: AsyncSession, activity: Activity, made: Registration) -> None:
    """Take what the place costs, once for each attempt. Raises InsufficientPoints."""
    price = activity.terms.points
    if not price:
        return
    key = f"activity:{made.id}:{await _attempt(session, made.id)}"
    paid = await points.redeem(session, made.member_id, price, reason=title(activity), key=key)
    values = {"points": price, "transaction_id": paid.transaction_id}
    await session.execute(update(RegistrationRow).where(RegistrationRow.id == made.id).values(values))


async def set_status(
    session: AsyncSession, registration_id: int, status: RegistrationStatus, *, by: str, **values: Any
) -> None:
    """What became of a registration, and through whom."""
    values |= {"status": status, "changed_by": by, "changed_at": await clock.now(session)}
    await session.execute(update(RegistrationRow).where(RegistrationRow.id == registration_id).values(values))


async def place_in_line(session: AsyncSession, known: Registration) -> int | None:
    """The how manieth of those who wait; None for who does not."""
    if known.status is not _S.WAITING:
        return None
    own = select(RegistrationRow.turn).where(RegistrationRow.id == known.id).scalar_subquery()
    ahead = (RegistrationRow.activity_id == known.activity_id, RegistrationRow.status == _S.WAITING)
    query = select(func.count()).select_from(RegistrationRow).where(*ahead, RegistrationRow.turn <= own)
    return (await session.execute(query)).scalar_one()


async def _open(session: AsyncSession, activity_id: int, member_id: int) -> Registration:
    known = await repository.find(session, activity_id, member_id)
    if known is None or known.status is _S.CANCELLED:
        raise NotRegistered
    if known.status is _S.ATTENDED:
        raise AlreadyAttended
    return known


async def _keep(
    session: AsyncSession,
    activity: Activity,
    whose: Registration | int,
    status: RegistrationStatus,
    by: str,
) -> Registration:
    """A row for the member, or the next attempt of the one that was cancelled; last in the order of turns."""
    now = await clock.now(session)
    last = select(func.coalesce(func.max(RegistrationRow.turn), 0)).where(RegistrationRow.activity_id == activity.id)
    values: dict[str, Any] = {
        "status": status,
        "turn": (await session.execute(last)).scalar_one() + 1,
        "registered_at": now,
        "changed_at": now,
        "changed_by": by,
        "due_at": policy.next_reminder(activity.terms, now) if status is _S.REGISTERED else None,
    }
    if isinstance(whose, int):
        values |= {"activity_id": activity.id, "member_id": whose, "code": await _free_code(session, activity.id)}
        made = insert(RegistrationRow).values(values).returning(RegistrationRow.id)
    else:
        values |= {"attempt": RegistrationRow.attempt + 1, "reason": None, "points": 0, "transaction_id": None}
        again = update(RegistrationRow).where(RegistrationRow.id == whose.id)
        made = again.values(values).returning(RegistrationRow.id)  # type: ignore[assignment]  # both answer the id
    return await repository.registration(session, (await session.execute(made)).scalar_one())


async def _free_code(session: AsyncSession, activity_id: int) -> str:
    """A code that nobody has here; the activity's row is held, so that it stays free."""
    while True:
        code = policy.new_code()
        taken = (RegistrationRow.activity_id == activity_id, RegistrationRow.code == code)
        if await session.scalar(select(RegistrationRow.id).where(*taken)) is None:
            return code


async def _give_back(session: AsyncSession, activity: Activity, known: Registration) -> int:
    if not known.points:
        return 0
    row = (await session.execute(_PAID.where(RegistrationRow.id == known.id))).one()
    transaction_id: UUID = row.transaction_id
    key = f"activity_back:{known.id}:{row.attempt}"
    await points.reverse(session, transaction_id, reason=title(activity), key=key)
    none_left = update(RegistrationRow).where(RegistrationRow.id == known.id)
    await session.execute(none_left.values(points=0, transaction_id=None))
    return known.points


async def _attempt(session: AsyncSession, registration_id: int) -> int:
    query = select(RegistrationRow.attempt).where(RegistrationRow.id == registration_id)
    return (await session.execute(query)).scalar_one()


_PAID = select(RegistrationRow.attempt, RegistrationRow.transaction_id)
