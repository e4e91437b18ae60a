"""A member's whole statement as a file, streamed."""

from collections.abc import AsyncIterator
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brands
from crm.kit.spreadsheets import BOM, cell, line
from crm.points import repository
from crm.points.types import Entry

_AT_ONCE = 500
_COLUMNS = ("at", "kind", "points", "balance", "reason", "transaction_id", "rule_id", "rule_version")


async def as_csv(session: AsyncSession, member_id: int) -> AsyncIterator[str]:
    """Lines of a CSV, newest entry first, times in the brand's time zone; what is posted meanwhile is left out."""
    zone = await brands.zone(session)
    yield BOM + line(_COLUMNS)
    before: int | None = None
    while True:
        found = await repository.entries(session, member_id, before=before, limit=_AT_ONCE)
        if found:
            yield "".join(_line(entry, zone) for entry in found)
        if len(found) < _AT_ONCE:
            return
        before = found[-1].sequence


def _line(entry: Entry, zone: ZoneInfo) -> str:
    at = entry.at.astimezone(zone).isoformat(timespec="seconds")
    numbers = (str(entry.points), str(entry.balance))
    rule = ["" if number is None else str(number) for number in (entry.rule_id, entry.rule_version)]
    return line([at, entry.kind.value, *numbers, cell(entry.reason), str(entry.transaction_id), *rule])
