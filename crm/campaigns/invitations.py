"""Telling a segment of an activity: a draft whose button opens it, for an operator to look at, test and launch."""

from datetime import datetime
from html import escape
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from crm.activities import policy
from crm.activities.errors import ActivityState
from crm.activities.service import definitions as activities
from crm.activities.types import Activity, ActivityStatus
from crm.brand import service as brand
from crm.campaigns import service
from crm.campaigns.types import Campaign, NewCampaign
from crm.db import clock
from crm.messages.types import ButtonSpec, MessageContent

_CHINESE = "zh-CN"
_LOCALES = (_CHINESE, "en")
_LABEL = {_CHINESE: "查看并报名", "en": "See and register"}


async def draft(session: AsyncSession, activity_id: int, segment_id: int, *, by: str) -> Campaign:
    """A campaign to the segment, with what the activity says of itself; it is not sent after registration has ended.

    Raises ActivityNotFound, ActivityState unless members can register, SegmentNotFoundError, SegmentArchivedError.
    """
    activity = await activities.get(session, activity_id)
    now = await clock.now(session)
    last = policy.registration_ends(activity.terms)
    if activity.status is not ActivityStatus.PUBLISHED or last <= now:
        raise ActivityState("members are invited as long as they can register", status=activity.status.value)
    zone = ZoneInfo((await brand.get(session)).time_zone)
    new = NewCampaign(
        name=activities.title(activity),
        segment_id=segment_id,
        message=_message(activity, now.astimezone(zone)),
        send_before=last,
    )
    return await service.create(session, new, by=by)


def _message(activity: Activity, now: datetime) -> MessageContent:
    texts = {locale: _text(activity, locale, now) for locale in _LOCALES}
    button = ButtonSpec(label=_LABEL, opens=f"activity:{activity.id}")
    return MessageContent(text=texts, buttons=[[button]], photo_media_id=activity.photo_media_id)


def _text(activity: Activity, locale: str, now: datetime) -> str:
    terms = activity.terms
    starts, ends = terms.starts_at.astimezone(now.tzinfo), terms.ends_at.astimezone(now.tzinfo)
    until = f"{ends:%H:%M}" if ends.date() == starts.date() else _moment(ends, locale, now)
    when = f"{_moment(starts, locale, now)}–{until}"
    place = _literal(_in_locale(activity.place, locale))
    lines = [f"🎟 <b>{_literal(_in_locale(activity.name, locale))}</b>", f"🕒 {when}", place and f"📍 {place}"]
    told = _literal(_in_locale(activity.description, locale))
    return "\n".join([*(line for line in lines if line), *(["", told] if told else [])])


def _moment(at: datetime, locale: str, now: datetime) -> str:
    is_far = at.year != now.year
    if locale == _CHINESE:
        return f"{f'{at.year}年' if is_far else ''}{at.month}月{at.day}日 {at:%H:%M}"
    return f"{at:%b} {at.day}{f', {at.year}' if is_far else ''}, {at:%H:%M}"


def _in_locale(texts: dict[str, str], locale: str) -> str:
    return texts.get(locale) or next(iter(texts.values()), "")


def _literal(text: str) -> str:
    """As a template shows it: neither markup nor a placeholder."""
    return escape(text, quote=False).replace("{", "{{ '{' }}")
