"""Activities as operators keep them: made, published, changed, closed, called off."""

from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.activities import policy, repository
from crm.activities.errors import ActivityState, InvalidActivity
from crm.activities.models import ActivityRow, RegistrationRow
from crm.activities.types import Activity, ActivityStatus, Door, NewActivity, RegistrationStatus
from crm.bots import service as bots
from crm.db import clock
from crm.media import service as media
from crm.sources import service as sources
from crm.surveys import service as surveys
from crm.surveys.types import SurveyStatus
from crm.tiers.service import programmes as tiers

DOOR_PREFIX = "attend-"
"""How a deep link says a door's code; a source's code never begins so."""


async def create(session: AsyncSession, new: NewActivity) -> Activity:
    """A draft. Raises InvalidActivity, UnknownTier, SurveyNotFound, MediaNotFoundError."""
    values = {**await _values(session, new), "status": ActivityStatus.DRAFT, "door_code": policy.new_code()}
    made = await session.execute(insert(ActivityRow).values(values).returning(ActivityRow.id))
    return await repository.activity(session, made.scalar_one())


async def change(session: AsyncSession, activity_id: int, new: NewActivity) -> Activity:
    """Another content for a draft, or for a published activity, whose price stays and whose places are kept.

    Raises ActivityNotFound, ActivityState once it is over, InvalidActivity, UnknownTier, SurveyNotFound.
    """
    before = await repository.activity(session, activity_id, locked=True)
    if before.status not in {ActivityStatus.DRAFT, ActivityStatus.PUBLISHED}:
        raise ActivityState("what is closed or called off is not changed any more", status=before.status.value)
    values = await _values(session, new)
    if before.status is ActivityStatus.PUBLISHED:
        _check_change(before, new)
    await session.execute(update(ActivityRow).where(ActivityRow.id == activity_id).values(values))
    after = await repository.activity(session, activity_id)
    if after.status is ActivityStatus.PUBLISHED:
        await _plan(session, after)
    return after


async def publish(session: AsyncSession, activity_id: int) -> Activity:
    """Let members register. Raises ActivityNotFound, ActivityState, InvalidActivity when its time is over."""
    activity = await repository.activity(session, activity_id, locked=True)
    if activity.status is not ActivityStatus.DRAFT:
        raise ActivityState("only a draft is published", status=activity.status.value)
    now = await clock.now(session)
    if policy.registration_ends(activity.terms) <= now:
        raise InvalidActivity("nobody could register: move the start, or the end of registration, first")
    await _set(session, activity_id, status=ActivityStatus.PUBLISHED, published_at=now)
    return await repository.activity(session, activity_id)


async def close(session: AsyncSession, activity_id: int) -> Activity:
    """It took place; its list is final. Harmless to repeat. Raises ActivityNotFound, ActivityState."""
    activity = await repository.activity(session, activity_id, locked=True)
    now = await clock.now(session)
    if activity.status is ActivityStatus.CLOSED:
        return activity
    if activity.status is not ActivityStatus.PUBLISHED:
        raise ActivityState("only a published activity is closed", status=activity.status.value)
    if now < activity.terms.ends_at:
        raise ActivityState("it is not over yet; what does not take place is called off", status=activity.status.value)
    await _set(session, activity_id, status=ActivityStatus.CLOSED, closed_at=now)
    return await repository.activity(session, activity_id)


async def call_off(session: AsyncSession, activity_id: int) -> Activity:
    """It does not take place: registrations are cancelled by the next ticks, what was paid goes back.

    Raises ActivityNotFound, ActivityState for what is closed or where somebody was checked in.
    """
    activity = await repository.activity(session, activity_id, locked=True)
    if activity.status is ActivityStatus.CALLED_OFF:
        return activity
    if activity.status is ActivityStatus.CLOSED or activity.counts.attended:
        raise ActivityState("it has taken place", status=activity.status.value)
    await _set(session, activity_id, status=ActivityStatus.CALLED_OFF, closed_at=await clock.now(session))
    return await repository.activity(session, activity_id)


async def close_due(session: AsyncSession) -> int:
    """Close what ended a day ago; answers how many."""
    over = ActivityRow.ends_at <= await clock.now(session) - policy.CLOSED_AFTER
    due = select(ActivityRow.id).where(ActivityRow.status == ActivityStatus.PUBLISHED, over).order_by(ActivityRow.id)
    found = list(await session.scalars(due))
    for activity_id in found:
        await close(session, activity_id)
    return len(found)


async def get(session: AsyncSession, activity_id: int) -> Activity:
    """One activity. Raises ActivityNotFound."""
    return await repository.activity(session, activity_id)


async def listing(session: AsyncSession, *, status: ActivityStatus | None = None) -> list[Activity]:
    """Activities, the last to begin first."""
    query = select(ActivityRow).order_by(ActivityRow.starts_at.desc(), ActivityRow.id.desc())
    return await repository.activities(session, query if status is None else query.where(ActivityRow.status == status))


async def segments_wanted(session: AsyncSession) -> list[int]:
    """Ids of the segments for whose members alone some published activity is."""
    named = (ActivityRow.status == ActivityStatus.PUBLISHED, ActivityRow.segment_ids != [])
    found = await session.scalars(select(ActivityRow.segment_ids).where(*named))
    return sorted({segment_id for segment_ids in found for segment_id in segment_ids})


async def door(session: AsyncSession, activity_id: int, *, public_url: str) -> Door:
    """The code at the door, with addresses for QR codes. Raises ActivityNotFound."""
    await repository.activity(session, activity_id)
    query = select(ActivityRow.door_code).where(ActivityRow.id == activity_id)
    code = (await session.execute(query)).scalar_one()
    active = await bots.listing(session, active_only=True)
    links = {bot.channel: sources.address(bot, f"{DOOR_PREFIX}{code}", public_url) for bot in active}
    return Door(code, {channel: link for channel, link in links.items() if link is not None})


async def set_photo(session: AsyncSession, activity_id: int, photo_media_id: UUID) -> Activity:
    """The picture that members see. Raises ActivityNotFound, MediaNotFoundError."""
    await repository.activity(session, activity_id, locked=True)
    await media.get(session, photo_media_id)
    await _set(session, activity_id, photo_media_id=photo_media_id)
    return await repository.activity(session, activity_id)


async def renew_door(session: AsyncSession, activity_id: int) -> None:
    """Another code, since the old one became known. Raises ActivityNotFound."""
    await repository.activity(session, activity_id, locked=True)
    await _set(session, activity_id, door_code=policy.new_code())


def title(activity: Activity) -> str:
    """The activity's name as statements of points show it."""
    return activity.name.get("zh-CN") or next(iter(activity.name.values()))


async def _values(session: AsyncSession, new: NewActivity) -> dict[str, Any]:
    checked = policy.check_new(new)
    await tiers.check_keys(session, checked.terms.tiers)
    if checked.photo_media_id is not None:
        await media.get(session, checked.photo_media_id)
    if checked.terms.survey_id is not None:
        survey = await surveys.get(session, checked.terms.survey_id)
        if survey.status is not SurveyStatus.PUBLISHED:
            raise InvalidActivity(f"publish the survey {survey.key} first, so that it can be answered")
    texts = {name: getattr(checked, name) for name in ("name", "description", "place", "photo_media_id")}
    return {**texts, **vars(checked.terms)}


def _check_change(before: Activity, new: NewActivity) -> None:
    if new.terms.points != before.terms.points:
        raise InvalidActivity("the price of a published activity stays: others have paid it")
    capacity = new.terms.capacity
    if capacity is not None and capacity < before.counts.registered:
        raise InvalidActivity(f"{before.counts.registered} members have a place already: capacity cannot be less")


async def _plan(session: AsyncSession, activity: Activity) -> None:
    """When the registered are reminded and those who came are asked, by the times as they are now."""
    now = await clock.now(session)
    due = {
        RegistrationStatus.REGISTERED: policy.next_reminder(activity.terms, now),
        RegistrationStatus.ATTENDED: policy.asks_at(activity.terms, now),
    }
    for status, due_at in due.items():
        those = (RegistrationRow.activity_id == activity.id, RegistrationRow.status == status)
        waiting = update(RegistrationRow).where(*those, RegistrationRow.asked_at.is_(None))
        await session.execute(waiting.values(due_at=due_at))


async def _set(session: AsyncSession, activity_id: int, **values: Any) -> None:
    await session.execute(update(ActivityRow).where(ActivityRow.id == activity_id).values(values))
