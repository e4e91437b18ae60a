"""Recording events, and reading them back for timelines."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select, tuple_
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.events import subscriptions
from crm.events.models import EventKeyRow, EventRow, HandoffRow
from crm.events.types import Event, RecordedEvent
from crm.kit.ids import uuid7


async def publish(
    session: AsyncSession, event: Event, *, occurred_at: datetime | None = None, source: str = "siyu"
) -> RecordedEvent:
    """Record `event` in the caller's transaction and open a hand-off for each subscriber of its kind."""
    moment = await clock.now(session)
    at = occurred_at or moment
    recorded = RecordedEvent(uuid7(at), at, event.kind, event.member_id, source, event.data())
    await session.execute(insert(EventRow).values(**vars(recorded)))
    names = subscriptions.of(session).names_for(event.kind)
    if names:
        rows = [{"event_id": recorded.id, "subscriber": name, "occurred_at": at, "due_at": moment} for name in names]
        await session.execute(insert(HandoffRow), rows)
    return recorded


async def publish_all(session: AsyncSession, found: Sequence[Event]) -> None:
    """Record several events of now in the caller's transaction, with as few statements as one takes."""
    if not found:
        return
    moment = await clock.now(session)
    recorded = [
        RecordedEvent(uuid7(moment), moment, event.kind, event.member_id, "siyu", event.data()) for event in found
    ]
    await session.execute(insert(EventRow), [vars(item) for item in recorded])
    rows = [
        {"event_id": item.id, "subscriber": name, "occurred_at": moment, "due_at": moment}
        for item in recorded
        for name in subscriptions.of(session).names_for(item.kind)
    ]
    if rows:
        await session.execute(insert(HandoffRow), rows)


async def publish_once(
    session: AsyncSession, key: str, event: Event, *, occurred_at: datetime | None = None, source: str = "api"
) -> RecordedEvent | None:
    """Like `publish`, unless an event with this key was recorded before: then None and nothing happens."""
    moment = await clock.now(session)
    claim = upsert(EventKeyRow).values(key=key, event_id=uuid7(moment), kept_since=moment)
    claimed = await session.execute(claim.on_conflict_do_nothing().returning(EventKeyRow.key))
    if claimed.scalar_one_or_none() is None:
        return None
    return await publish(session, event, occurred_at=occurred_at, source=source)


async def timeline(
    session: AsyncSession,
    member_id: int,
    *,
    also: Sequence[int] = (),
    before: tuple[datetime, UUID] | None = None,
    kinds: Sequence[str] = (),
    limit: int = 50,
) -> list[RecordedEvent]:
    """The member's events, newest first, at most `limit`; `before` is the (time, id) of the last one seen.

    `also` names profiles that were merged into the member's.
    """
    query = select(EventRow).where(EventRow.member_id.in_([member_id, *also]))
    if before is not None:
        query = query.where(tuple_(EventRow.occurred_at, EventRow.id) < before)
    if kinds:
        query = query.where(EventRow.kind.in_(kinds))
    rows = await session.scalars(query.order_by(EventRow.occurred_at.desc(), EventRow.id.desc()).limit(limit))
    return [_recorded(row) for row in rows]


async def find(session: AsyncSession, event_id: UUID, occurred_at: datetime) -> RecordedEvent | None:
    """One event by its key."""
    row = await session.get(EventRow, (event_id, occurred_at))
    return None if row is None else _recorded(row)


def _recorded(row: EventRow) -> RecordedEvent:
    return RecordedEvent(row.id, row.occurred_at, row.kind, row.member_id, row.source, row.data)
