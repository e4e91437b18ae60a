"""Checking in on site: by the code at the door, or by the member's own at the desk; once."""

import hmac
from dataclasses import replace

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.activities import policy, repository
from crm.activities.errors import (
    AlreadyAttended,
    DoorClosed,
    NotRegistered,
    RegistrationNotFound,
    StillWaiting,
    WrongDoorCode,
)
from crm.activities.models import ActivityRow, RegistrationRow
from crm.activities.types import Activity, ActivityStatus, Registration, RegistrationStatus
from crm.db import clock
from crm.events import service as events
from crm.events.loyalty import ActivityAttended
from crm.members import service as members
from crm.surveys import service as surveys

_S = RegistrationStatus


async def by_door(session: AsyncSession, member_id: int, code: str) -> Registration:
    """The member says the code at the door; said again, it answers the same with `is_new` False.

    Raises WrongDoorCode, NotRegistered, StillWaiting, DoorClosed.
    """
    member_id = await members.enter(session, member_id)
    activity = await _behind_door(session, policy.clean_code(code))
    known = await repository.find(session, activity.id, member_id)
    if known is None or known.status is _S.CANCELLED:
        raise NotRegistered(activity_id=activity.id)
    if known.status is _S.ATTENDED:
        return known
    if known.status is _S.WAITING:
        raise StillWaiting
    if not policy.is_door_open(activity, await clock.now(session), by_member=True):
        raise DoorClosed
    return await _let_in(session, activity, known, by="member")


async def by_desk(session: AsyncSession, activity_id: int, code: str, *, by: str) -> Registration:
    """An operator enters or scans the member's own code; `by` is who.

    Raises ActivityNotFound, RegistrationNotFound, NotRegistered for a cancelled one, StillWaiting, AlreadyAttended
    with `at`, DoorClosed.
    """
    activity = await repository.activity(session, activity_id)
    own = (RegistrationRow.activity_id == activity_id, RegistrationRow.code == policy.clean_code(code))
    row = (await session.execute(repository.REGISTRATIONS.where(*own))).one_or_none()
    if row is None:
        raise RegistrationNotFound
    known = repository.as_registration(row)
    if known.status is _S.CANCELLED:
        raise NotRegistered("this registration was cancelled")
    if known.status is _S.WAITING:
        raise StillWaiting
    if known.status is _S.ATTENDED:
        raise AlreadyAttended(at=known.changed_at)
    if not policy.is_door_open(activity, await clock.now(session), by_member=False):
        raise DoorClosed
    return await _let_in(session, activity, known, by=by)


async def survey_to_answer(session: AsyncSession, member_id: int, activity_id: int | None = None) -> str | None:
    """The key of the survey about an activity that the member came to, by default the last one; None: there is none."""
    member_id = await members.current_id(session, member_id)
    query = (
        select(ActivityRow.survey_id)
        .join(RegistrationRow, RegistrationRow.activity_id == ActivityRow.id)
        .where(RegistrationRow.member_id == member_id, RegistrationRow.status == _S.ATTENDED)
        .where(ActivityRow.survey_id.is_not(None), ActivityRow.starts_at <= await clock.now(session))
        .order_by(ActivityRow.ends_at.desc(), ActivityRow.id.desc())
        .limit(1)
    )
    survey_id = await session.scalar(query if activity_id is None else query.where(ActivityRow.id == activity_id))
    return None if survey_id is None else (await surveys.get(session, survey_id)).key


async def closed_surveys(session: AsyncSession, member_id: int) -> list[str]:
    """Keys of surveys about activities none of which the member came to: they are for others."""
    member_id = await members.current_id(session, member_id)
    about = ActivityRow.survey_id.is_not(None)
    came = (RegistrationRow.member_id == member_id, RegistrationRow.status == _S.ATTENDED)
    joined = select(ActivityRow.survey_id).join(RegistrationRow, RegistrationRow.activity_id == ActivityRow.id)
    theirs = joined.where(*came, about)
    found = select(ActivityRow.survey_id).where(about, ActivityRow.survey_id.not_in(theirs)).distinct()
    return [(await surveys.get(session, key)).key for key in await session.scalars(found) if key is not None]


async def _behind_door(session: AsyncSession, code: str) -> Activity:
    """The activity whose door has the code; every door is compared, whichever it is."""
    now = await clock.now(session)
    near = (ActivityRow.starts_at - policy.EARLY <= now, ActivityRow.ends_at > now - policy.CLOSED_AFTER)
    query = select(ActivityRow.id, ActivityRow.door_code).where(ActivityRow.status == ActivityStatus.PUBLISHED, *near)
    doors = (await session.execute(query)).all()
    found = [row.id for row in doors if hmac.compare_digest(row.door_code.encode(), code.encode())]
    if not found:
        raise WrongDoorCode
    return await repository.activity(session, found[0])


async def _let_in(session: AsyncSession, activity: Activity, known: Registration, *, by: str) -> Registration:
    now = await clock.now(session)
    still = (RegistrationRow.id == known.id, RegistrationRow.status == _S.REGISTERED)
    values = {
        "status": _S.ATTENDED,
        "changed_at": now,
        "changed_by": by,
        "due_at": policy.asks_at(activity.terms, now),
    }
    entering = update(RegistrationRow).where(*still).values(values).returning(RegistrationRow.id)
    if await session.scalar(entering) is None:
        raise AlreadyAttended
    fact = ActivityAttended(member_id=known.member_id, activity_id=activity.id, registration_id=known.id, by=by)
    await events.publish(session, fact)
    return replace(await repository.registration(session, known.id), is_new=True)
