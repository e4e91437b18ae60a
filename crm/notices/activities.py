"""What members are told about activities: reminders, a place from the waiting list, cancellations, the survey."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm.activities.service import definitions, registering
from crm.activities.types import Activity, ActivityStatus, Reason, RegistrationStatus
from crm.brand import service as brand
from crm.db import clock
from crm.events.types import RecordedEvent
from crm.notices import service

_CANCELLED: dict[str, str] = {
    Reason.CALLED_OFF: "notices/activity_called_off",
    Reason.OPERATOR: "notices/activity_cancelled",
    Reason.POINTS: "notices/activity_points_missing",
}
"""Who cancels in the chat is answered there."""


async def remind(session: AsyncSession, event: RecordedEvent) -> None:
    """It begins soon; too late, or when the member does not come any more, nothing is said."""
    activity = await definitions.get(session, int(event.data["activity_id"]))
    if await clock.now(session) < activity.terms.starts_at:
        await _tell_holder(session, event, activity, "notices/activity_reminder")


async def give_place(session: AsyncSession, event: RecordedEvent) -> None:
    """A place from the waiting list."""
    activity = await definitions.get(session, int(event.data["activity_id"]))
    await _tell_holder(session, event, activity, "notices/activity_place_given")


async def cancel(session: AsyncSession, event: RecordedEvent) -> None:
    """Somebody else cancelled."""
    name = _CANCELLED.get(event.data["reason"])
    if name is None:
        return
    activity = await definitions.get(session, int(event.data["activity_id"]))
    await _tell(session, event, activity, name, returned=event.data["points_returned"])


async def ask(session: AsyncSession, event: RecordedEvent) -> None:
    """Those who came are asked how it was."""
    activity = await definitions.get(session, int(event.data["activity_id"]))
    await _tell(session, event, activity, "notices/activity_feedback")


async def _tell_holder(session: AsyncSession, event: RecordedEvent, activity: Activity, name: str) -> None:
    held = await registering.get(session, int(event.data["registration_id"]))
    if activity.status is ActivityStatus.PUBLISHED and held.status is RegistrationStatus.REGISTERED:
        await _tell(session, event, activity, name, code=held.code)


async def _tell(session: AsyncSession, event: RecordedEvent, activity: Activity, name: str, **values: Any) -> None:
    if event.member_id is None:
        return
    starts_at = activity.terms.starts_at.astimezone(await brand.zone(session))
    shown = {
        "activity": activity.name,
        "place": activity.place,
        "day": starts_at.date(),
        "begins": f"{starts_at:%H:%M}",
        "points": activity.terms.points,
    }
    await service.tell(session, event.member_id, name, event_id=event.id, **shown, **values)
