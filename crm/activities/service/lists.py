"""The list of those who registered, as a file, streamed."""

from collections.abc import AsyncIterator
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from crm.activities.service import reporting
from crm.activities.types import Registration
from crm.brand import service as brands
from crm.kit.paging import MAX_LIMIT
from crm.kit.spreadsheets import BOM, cell, line
from crm.members import bulk

_COLUMNS = (
    *("registration_id", "member_id", "display_name", "status", "code", "points"),
    *("registered_at", "changed_at", "changed_by", "reason"),
)


async def as_csv(session: AsyncSession, activity_id: int) -> AsyncIterator[str]:
    """Lines of a CSV in the order of registration, times in the brand's zone. Raises ActivityNotFound."""
    zone = await brands.zone(session)
    yield BOM + line(_COLUMNS)
    cursor: str | None = None
    while True:
        page = await reporting.participants(session, activity_id, limit=MAX_LIMIT, cursor=cursor)
        names = await bulk.names(session, [one.member_id for one in page.items])
        yield "".join(_line(one, names.get(one.member_id, ""), zone) for one in page.items)
        cursor = page.next_cursor
        if cursor is None:
            return


def _line(one: Registration, name: str, zone: ZoneInfo) -> str:
    times = [at.astimezone(zone).isoformat(timespec="seconds") for at in (one.registered_at, one.changed_at)]
    values = [str(one.id), str(one.member_id), cell(name), one.status.value, one.code, str(one.points)]
    return line([*values, *times, one.changed_by, one.reason.value if one.reason else ""])
