"""Hand-offs of events whose subscriber failed five times."""

import json
from uuid import UUID

from sqlalchemy import ColumnElement, Executable, delete, false, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.events.models import EventRow, HandoffRow
from crm.events.service import find
from crm.jobs.dead import DeadLetter, DeadLetterNotFound


class DeadHandoffs:
    """Implements `crm.jobs.dead.DeadLetterBox`; the key is the event's id, a dot, and the subscriber."""

    name = "handoffs"

    async def count(self, session: AsyncSession) -> int:
        """How many hand-offs are dead."""
        query = select(func.count()).select_from(HandoffRow).where(HandoffRow.is_dead)
        return (await session.execute(query)).scalar_one()

    async def listing(self, session: AsyncSession, *, limit: int) -> list[DeadLetter]:
        """Dead hand-offs, newest first."""
        same = (EventRow.id == HandoffRow.event_id) & (EventRow.occurred_at == HandoffRow.occurred_at)
        query = (
            select(HandoffRow, EventRow.kind)
            .outerjoin(EventRow, same)
            .where(HandoffRow.is_dead)
            .order_by(HandoffRow.due_at.desc(), HandoffRow.event_id, HandoffRow.subscriber)
            .limit(limit)
        )
        return [_letter(row, kind) for row, kind in await session.execute(query)]

    async def replay(self, session: AsyncSession, key: str) -> None:
        """Due now, with all tries before it. Raises DeadLetterNotFound."""
        change = update(HandoffRow).where(*_one(key)).values(is_dead=False, attempts=0, due_at=func.siyu_now())
        await _must_be_one(session, change.returning(HandoffRow.event_id))

    async def discard(self, session: AsyncSession, key: str) -> None:
        """The event stays in the log; this subscriber never sees it. Raises DeadLetterNotFound."""
        await _must_be_one(session, delete(HandoffRow).where(*_one(key)).returning(HandoffRow.event_id))

    async def reveal(self, session: AsyncSession, key: str) -> str:
        """The event as JSON. Raises DeadLetterNotFound."""
        row = await session.scalar(select(HandoffRow).where(*_one(key)).execution_options(populate_existing=True))
        event = None if row is None else await find(session, row.event_id, row.occurred_at)
        if event is None:
            raise DeadLetterNotFound
        known = {"id": str(event.id), "kind": event.kind, "member_id": event.member_id, "data": event.data}
        return json.dumps(known, ensure_ascii=False, indent=2)


handoffs = DeadHandoffs()


def _letter(row: HandoffRow, kind: str | None) -> DeadLetter:
    return DeadLetter(
        key=f"{row.event_id}.{row.subscriber}",
        title=f"{kind or 'event'} → {row.subscriber}",
        reason=row.last_error or "",
        tries=row.attempts,
        since=row.occurred_at,
        died_at=row.due_at,
    )


def _one(key: str) -> tuple[ColumnElement[bool], ...]:
    event_id, _, subscriber = key.partition(".")
    try:
        return (
            HandoffRow.event_id == UUID(event_id),
            HandoffRow.subscriber == subscriber,
            HandoffRow.is_dead.is_(True),
        )
    except ValueError:
        return (false(),)


async def _must_be_one(session: AsyncSession, statement: Executable) -> None:
    if (await session.execute(statement)).first() is None:
        raise DeadLetterNotFound
