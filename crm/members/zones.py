"""The zone that a member's days are counted in; what the contact's statement told is known for its transaction.

A check-in needs it right after the member was found: that saves it an exchange.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brand
from crm.db import clock
from crm.members import policy
from crm.members.errors import MemberNotFound
from crm.members.repository import zone_row

_KNOWN = "siyu_member_zone"


def note(session: AsyncSession, row: Mapping[str, Any], now: datetime) -> None:
    """Remember the zone of the member in a contact's row until the transaction ends or the member is changed."""
    session.info[_KNOWN] = (row["member_id"], now, _zone(row, now, "member_"))


def forget(session: AsyncSession) -> None:
    """A member was changed."""
    session.info.pop(_KNOWN, None)


async def of(session: AsyncSession, member_id: int) -> ZoneInfo:
    """See `service.zone`."""
    known = session.info.get(_KNOWN)
    if known is not None and known[:2] == (member_id, await clock.now(session)):
        found = known[2]
        assert isinstance(found, ZoneInfo)
        return found
    row = await zone_row(session, member_id)
    if row is None:
        raise MemberNotFound(member_id=member_id)
    return _zone(row, row["now"])


def _zone(row: Mapping[str, Any], now: datetime, prefix: str = "") -> ZoneInfo:
    zone, following, changes_at = (row[prefix + name] for name in ("time_zone", "next_time_zone", "zone_changes_at"))
    own = policy.zone_in_force(zone, following, changes_at, now)
    return ZoneInfo(own or row["of_brand"] or brand.DEFAULT.time_zone)
