"""What members are told by time: that an activity begins soon, and how it was when it is over. Facts, no messages."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.activities import policy, repository
from crm.activities.models import ActivityRow, RegistrationRow
from crm.activities.types import Activity, ActivityStatus, RegistrationStatus
from crm.db import clock
from crm.events import service as events
from crm.events.loyalty import ActivityFeedbackDue, ActivityReminderDue
from crm.events.types import Event

_S = RegistrationStatus
_AT_ONCE = 500
_ON = (ActivityStatus.PUBLISHED, ActivityStatus.CLOSED)


async def tell_due(session: AsyncSession) -> int:
    """Announce what is due for at most 500 registrations, each once; answers how many were looked at."""
    now = await clock.now(session)
    due = select(RegistrationRow.id, RegistrationRow.activity_id, RegistrationRow.member_id, RegistrationRow.status)
    query = due.where(RegistrationRow.due_at <= now).order_by(RegistrationRow.due_at, RegistrationRow.id)
    rows = (await session.execute(query.limit(_AT_ONCE).with_for_update(skip_locked=True))).all()
    wanted = select(ActivityRow).where(ActivityRow.id.in_({row.activity_id for row in rows}))
    known = {activity.id: activity for activity in await repository.activities(session, wanted)} if rows else {}
    for activity in known.values():
        for status in (_S.REGISTERED, _S.ATTENDED):
            own = [row for row in rows if row.activity_id == activity.id and row.status == status]
            await _tell(session, activity, status, own)
    rest = [row.id for row in rows if row.status not in {_S.REGISTERED, _S.ATTENDED}]
    await session.execute(update(RegistrationRow).where(RegistrationRow.id.in_(rest)).values(due_at=None))
    return len(rows)


async def _tell(
    session: AsyncSession, activity: Activity, status: RegistrationStatus, rows: Sequence[Row[*tuple[Any, ...]]]
) -> None:
    if not rows:
        return
    now = await clock.now(session)
    is_reminder = status is _S.REGISTERED
    then = {"due_at": policy.next_reminder(activity.terms, now)} if is_reminder else {"due_at": None, "asked_at": now}
    ids = [row.id for row in rows]
    await session.execute(update(RegistrationRow).where(RegistrationRow.id.in_(ids)).values(then))
    if activity.status not in _ON or (is_reminder and now >= activity.terms.starts_at):
        return
    facts = [fact for row in rows if (fact := _fact(activity, row, policy.hours_ahead(activity.terms, now)))]
    await events.publish_many(session, facts)


def _fact(activity: Activity, row: Row[*tuple[Any, ...]], hours: int) -> Event | None:
    if row.status == _S.REGISTERED:
        return ActivityReminderDue(
            member_id=row.member_id, activity_id=activity.id, registration_id=row.id, hours=hours
        )
    if activity.terms.survey_id is None:
        return None
    return ActivityFeedbackDue(
        member_id=row.member_id,
        activity_id=activity.id,
        registration_id=row.id,
        survey_id=activity.terms.survey_id,
    )
