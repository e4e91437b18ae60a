"""Times of a wall clock as moments, also on the days on which clocks jump. Pure."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_SECOND = timedelta(seconds=1)


def moment_of(local: datetime, zone: ZoneInfo) -> datetime:
    """When the clock of `zone` shows `local` (without an offset), in UTC.

    A time that comes twice in autumn is the first of both; one that is left out in spring is the end of the gap.
    """
    found = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None, fold=0) == local:
        return found
    # read with the offset before the jump it lies behind the jump, with the one after it before the jump
    before = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    offset = found.astimezone(zone).utcoffset()
    while found - before > _SECOND:
        middle = before + (found - before) // 2
        if middle.astimezone(zone).utcoffset() == offset:
            found = middle
        else:
            before = middle
    return found.replace(microsecond=0)
