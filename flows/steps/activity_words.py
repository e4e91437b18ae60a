"""What texts about activities are filled with; times are those of the place, which is where the brand is."""

from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from crm.activities.service import offering
from crm.activities.types import OfferedActivity
from crm.brand import service as brand


@dataclass(frozen=True)
class Ticket:
    """A member's code, with the id of its picture."""

    code: str
    picture: str


async def brand_zone(session: AsyncSession, member_id: int) -> str:
    """IANA name of the brand's zone."""
    del member_id
    return (await brand.get(session)).time_zone


def of_offer(offer: OfferedActivity, zone: ZoneInfo) -> dict[str, Any]:
    """An activity, as a list and a detail show it."""
    activity, terms = offer.activity, offer.activity.terms
    starts_at, ends_at = terms.starts_at.astimezone(zone), terms.ends_at.astimezone(zone)
    return {
        "name": activity.name,
        "description": activity.description,
        "place": activity.place,
        "day": starts_at.date(),
        "begins": f"{starts_at:%H:%M}",
        "last_day": ends_at.date() if ends_at.date() != starts_at.date() else None,
        "ends": f"{ends_at:%H:%M}",
        "points": terms.points,
        "left": activity.left,
        "is_full": activity.is_full,
        "waiting": activity.counts.waiting,
        "cancel_hours": terms.cancel_hours,
        "status": None if offer.registration is None else offer.registration.status.value,
        "state": activity.status.value,
    }


async def ticket(session: AsyncSession, member_id: int, activity_id: int) -> Ticket | None:
    """The member's own code for the desk; None without a place."""
    found = await offering.ticket(session, member_id, activity_id)
    return None if found is None else Ticket(found[0], str(found[1]))
