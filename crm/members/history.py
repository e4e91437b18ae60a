"""What happened to a member, also under the profiles that were merged into this one."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from crm.events import service as events
from crm.events.types import RecordedEvent
from crm.kit.paging import InvalidCursor, Page, check_limit, decode_cursor, page_of
from crm.members import service


async def timeline(
    session: AsyncSession, member_id: int, *, kinds: Sequence[str] = (), limit: int = 50, cursor: str | None = None
) -> Page[RecordedEvent]:
    """The member's events, newest first. Raises MemberNotFound, InvalidCursor, InvalidLimit."""
    limit = check_limit(limit)
    await service.get(session, member_id)
    ids = await service.all_ids(session, member_id)
    before = None if cursor is None else _position(cursor)
    rows = await events.timeline(session, member_id, also=ids, before=before, kinds=kinds, limit=limit + 1)
    return page_of(rows, limit, lambda event: event, lambda event: (event.occurred_at.isoformat(), str(event.id)))


def _position(cursor: str) -> tuple[datetime, UUID]:
    moment, event_id = decode_cursor(cursor, str, str)
    try:
        occurred_at, found = datetime.fromisoformat(moment), UUID(event_id)
    except ValueError as error:
        raise InvalidCursor from error
    if occurred_at.tzinfo is None:
        raise InvalidCursor
    return occurred_at, found
