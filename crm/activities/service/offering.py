"""Activities as members see them."""

from dataclasses import replace
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.activities import policy, repository
from crm.activities.errors import ActivityNotFound
from crm.activities.models import ActivityRow
from crm.activities.service import registering
from crm.activities.types import Activity, ActivityStatus, OfferedActivity, RegistrationStatus
from crm.coupons.service.holding import qr_png
from crm.db import clock
from crm.media import service as media
from crm.profiles import service as profiles

_MOST = 12
_HIDDEN = frozenset({"activity_tier", "activity_segment", "registration_over"})


async def offered(session: AsyncSession, member_id: int) -> list[OfferedActivity]:
    """What is to come and the member may come to, or has registered for; the first to begin first, at most 12."""
    is_on = (ActivityRow.status == ActivityStatus.PUBLISHED, ActivityRow.ends_at > await clock.now(session))
    query = select(ActivityRow).where(*is_on).order_by(ActivityRow.starts_at, ActivityRow.id)
    found = [await _offer(session, member_id, one) for one in await repository.activities(session, query)]
    return [offer for offer in found if offer.registration is not None or offer.why_not not in _HIDDEN][:_MOST]


async def one(session: AsyncSession, member_id: int, activity_id: int) -> OfferedActivity:
    """One activity as the member sees it. Raises ActivityNotFound, also for a draft."""
    activity = await repository.activity(session, activity_id)
    if activity.status is ActivityStatus.DRAFT:
        raise ActivityNotFound(activity_id=activity_id)
    return await _offer(session, member_id, activity)


async def ticket(session: AsyncSession, member_id: int, activity_id: int) -> tuple[str, UUID] | None:
    """The member's own code with the id of its picture, for the desk; None without a place."""
    known = await repository.find(session, activity_id, member_id)
    if known is None or known.status is not RegistrationStatus.REGISTERED:
        return None
    picture = await media.store_image(session, qr_png(known.code))
    return known.code, picture.id


async def _offer(session: AsyncSession, member_id: int, activity: Activity) -> OfferedActivity:
    now = await clock.now(session)
    obstacle = policy.obstacle(activity, await profiles.get(session, member_id), now)
    known = await repository.find(session, activity.id, member_id)
    if known is not None and known.status is RegistrationStatus.CANCELLED:
        known = None
    if known is not None:
        known = replace(known, place_in_line=await registering.place_in_line(session, known))
    why_not = None if obstacle is None else obstacle.code()
    return OfferedActivity(activity, known, why_not, policy.gets_points_back(activity.terms, now))
