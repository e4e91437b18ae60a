"""Recording events, and reading them back for timelines."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, tuple_
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock, joint
from crm.db.joint import Part
from crm.db.plural import Rows
from crm.events import subscriptions
from crm.events.models import EventKeyRow, EventRow
from crm.events.types import Event, RecordedEvent
from crm.kit.ids import uuid7

OURS = "siyu"
"""The source of events that Siyu itself records."""
_REPORTED = "api"
_WAITING = "siyu_events"
_INSERT = Part(
    [
        (
            "handed",
            """
    INSERT INTO event_handoffs (event_id, subscriber, occurred_at, due_at)
    SELECT taken.event_id, taken.subscriber, taken.at, taken.due_at
    FROM jsonb_to_recordset(CAST(:handed AS jsonb))
        AS taken (event_id uuid, subscriber text, at timestamptz, due_at timestamptz, wished text)
    WHERE taken.wished IS NULL OR EXISTS (
        SELECT FROM event_wishes wish WHERE wish.subscriber = taken.subscriber AND wish.kind IN (taken.wished, '*')
    )
""",
        ),
        (
            "happened",
            """
    INSERT INTO events (id, occurred_at, kind, member_id, source, data)
    SELECT id, at, kind, member_id, source, data
    FROM jsonb_to_recordset(CAST(:facts AS jsonb))
        AS given (id uuid, at timestamptz, kind text, member_id bigint, source text, data jsonb)
""",
        ),
    ],
    is_plural=True,
)


async def publish(
    session: AsyncSession, event: Event, *, occurred_at: datetime | None = None, source: str = OURS
) -> RecordedEvent:
    """Record `event` in the caller's transaction and open a hand-off for each subscriber of its kind."""
    moment = await clock.now(session)
    at = occurred_at or moment
    recorded = RecordedEvent(uuid7(at), at, event.kind, event.member_id, source, event.data())
    await _keep(session, [recorded], moment)
    return recorded


async def publish_many(session: AsyncSession, facts: Sequence[Event]) -> None:
    """Like `publish` for several events of now, in one statement."""
    moment = await clock.now(session)
    if facts:
        await _keep(session, _of_now(facts, moment), moment)


async def publish_last(session: AsyncSession, facts: Sequence[Event]) -> None:
    """Like `publish_many`, for what nothing in this transaction reads: a `last` write of `crm.db.joint`."""
    moment = await clock.now(session)
    if facts:
        await joint.last(session, _INSERT, _values(session, _of_now(facts, moment), moment))


@asynccontextmanager
async def together(session: AsyncSession) -> AsyncIterator[None]:
    """Insert what is published inside the block in one statement at its end; nothing of it after an error.

    Inside of another such block the outer one inserts. Until the end the log does not show these events.
    """
    if _WAITING in session.info:
        yield
        return
    waiting: list[RecordedEvent] = []
    session.info[_WAITING] = waiting
    try:
        yield
    finally:
        del session.info[_WAITING]
    if waiting:
        await _insert(session, waiting, await clock.now(session))


def _of_now(facts: Sequence[Event], moment: datetime) -> list[RecordedEvent]:
    return [RecordedEvent(uuid7(moment), moment, fact.kind, fact.member_id, OURS, fact.data()) for fact in facts]


async def _keep(session: AsyncSession, recorded: Sequence[RecordedEvent], moment: datetime) -> None:
    waiting: list[RecordedEvent] | None = session.info.get(_WAITING)
    if waiting is None:
        await _insert(session, recorded, moment)
    else:
        waiting.extend(recorded)


async def _insert(session: AsyncSession, recorded: Sequence[RecordedEvent], moment: datetime) -> None:
    """Events and their hand-offs in one round trip."""
    await joint.now(session, _INSERT, _values(session, recorded, moment))


def _values(session: AsyncSession, recorded: Sequence[RecordedEvent], moment: datetime) -> dict[str, Any]:
    known = subscriptions.of(session)
    facts = Rows(
        {
            "id": item.id,
            "at": item.occurred_at,
            "kind": item.kind,
            "member_id": item.member_id,
            "source": item.source,
            "data": item.data,
        }
        for item in recorded
    )
    handed = Rows(
        {
            "event_id": item.id,
            "at": item.occurred_at,
            "due_at": moment,
            "subscriber": name,
            "wished": item.kind if known.is_choosy(name) else None,
        }
        for item in recorded
        for name in known.names_for(item.kind)
    )
    return {"facts": facts, "handed": handed}


async def publish_once(
    session: AsyncSession, key: str, event: Event, *, occurred_at: datetime | None = None
) -> RecordedEvent | None:
    """Like `publish` for what a program reports, unless this key was recorded before: then None, nothing happens."""
    moment = await clock.now(session)
    claim = upsert(EventKeyRow).values(key=key, event_id=uuid7(moment), kept_since=moment)
    claimed = await session.execute(claim.on_conflict_do_nothing().returning(EventKeyRow.key))
    if claimed.scalar_one_or_none() is None:
        return None
    return await publish(session, event, occurred_at=occurred_at, source=_REPORTED)


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


async def find_alike(
    session: AsyncSession, kind: str, occurred_at: datetime, field: str, value: str
) -> RecordedEvent | None:
    """The first event of this kind and very time whose `field` says `value`."""
    same = (EventRow.kind == kind, EventRow.occurred_at == occurred_at, EventRow.data[field].astext == value)
    row = await session.scalar(select(EventRow).where(*same).order_by(EventRow.id).limit(1))
    return None if row is None else _recorded(row)


def _recorded(row: EventRow) -> RecordedEvent:
    return RecordedEvent(row.id, row.occurred_at, row.kind, row.member_id, row.source, row.data)
