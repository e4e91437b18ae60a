"""Messages of endpoints: made from events, looked through, sent again."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, CursorResult, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.events.types import RecordedEvent
from crm.kit.ids import uuid7
from crm.kit.paging import Page, decode_cursor, page_of
from crm.webhooks import service
from crm.webhooks.errors import EndpointDisabled, MessageNotFound
from crm.webhooks.models import ATTEMPTS, MessageRow
from crm.webhooks.types import TEST_KIND, Attempt, EndpointStatus, Message, MessageState

# Numbers are given under the lock of the endpoint's row: they have no gaps and become visible in their order.
_KEEP = text("""
WITH wanted AS (
    SELECT id FROM webhook_endpoints e
    WHERE status = 'active' AND kinds && ARRAY[CAST(:kind AS text), '*'] AND NOT EXISTS (
        SELECT FROM webhook_messages m
        WHERE m.endpoint_id = e.id AND m.event_id = :event_id AND m.occurred_at = :occurred_at
    )
    ORDER BY id FOR UPDATE
), counted AS (
    UPDATE webhook_endpoints e SET last_sequence = last_sequence + 1 FROM wanted WHERE e.id = wanted.id
    RETURNING e.id, e.last_sequence
)
INSERT INTO webhook_messages (endpoint_id, event_id, occurred_at, kind, sequence, due_at)
SELECT id, :event_id, :occurred_at, :kind, last_sequence, siyu_now() FROM counted
""")
_KEEP_TEST = text("""
WITH counted AS (
    UPDATE webhook_endpoints SET last_sequence = last_sequence + 1 WHERE id = :endpoint_id
    RETURNING id, last_sequence
)
INSERT INTO webhook_messages (endpoint_id, event_id, occurred_at, kind, sequence, due_at)
SELECT id, :event_id, :occurred_at, :kind, last_sequence, siyu_now() FROM counted
""")


async def keep(session: AsyncSession, event: RecordedEvent) -> None:
    """A message for each active endpoint that is told of such events; a second time nothing happens."""
    values = {"event_id": event.id, "occurred_at": event.occurred_at, "kind": event.kind}
    await session.execute(_KEEP, values)


async def send_test(session: AsyncSession, endpoint_id: int) -> Message:
    """A message that tells of no event. Raises EndpointNotFound, EndpointDisabled."""
    await _active(session, endpoint_id)
    now = await clock.now(session)
    event_id = uuid7(now)
    values = {"endpoint_id": endpoint_id, "event_id": event_id, "occurred_at": now, "kind": TEST_KIND}
    await session.execute(_KEEP_TEST, values)
    return await get(session, endpoint_id, event_id)


async def listing(
    session: AsyncSession,
    endpoint_id: int,
    *,
    state: MessageState | None = None,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[Message]:
    """The endpoint's messages, the latest first. Raises EndpointNotFound, InvalidCursor."""
    await service.get(session, endpoint_id)
    query = select(MessageRow).where(MessageRow.endpoint_id == endpoint_id)
    if state is not None:
        query = query.where(MessageRow.state == state)
    if cursor is not None:
        query = query.where(MessageRow.sequence < decode_cursor(cursor, int)[0])
    rows = await session.scalars(query.order_by(MessageRow.sequence.desc()).limit(limit + 1))
    return page_of(rows.all(), limit, _message, lambda row: (row.sequence,))


async def get(session: AsyncSession, endpoint_id: int, event_id: UUID) -> Message:
    """One message. Raises MessageNotFound."""
    query = select(MessageRow).where(*_same(endpoint_id, event_id)).execution_options(populate_existing=True)
    row = (await session.scalars(query)).one_or_none()
    if row is None:
        raise MessageNotFound(endpoint_id=endpoint_id, event_id=str(event_id))
    return _message(row)


async def attempts(session: AsyncSession, endpoint_id: int, event_id: UUID, *, limit: int = 100) -> list[Attempt]:
    """The calls that were made for a message, the latest first. Raises MessageNotFound."""
    await get(session, endpoint_id, event_id)
    log = ATTEMPTS.c
    query = (
        select(log.number, log.at, log.is_success, log.status, log.milliseconds, log.error, log.excerpt)
        .where(log.event_id == event_id, log.endpoint_id == endpoint_id)
        .order_by(log.at.desc(), log.number.desc())
        .limit(limit)
    )
    return [Attempt(**row) for row in (await session.execute(query)).mappings()]


async def replay(session: AsyncSession, endpoint_id: int, event_id: UUID) -> Message:
    """Send a message again at once, with all its tries, whatever became of it.

    Its id and number stay the same. Raises EndpointNotFound, EndpointDisabled, MessageNotFound.
    """
    await _active(session, endpoint_id)
    await _again(session, *_same(endpoint_id, event_id))
    return await get(session, endpoint_id, event_id)


async def replay_dead(session: AsyncSession, endpoint_id: int) -> int:
    """Send every dead message again; answers how many. Raises EndpointNotFound, EndpointDisabled."""
    await _active(session, endpoint_id)
    return await _again(session, MessageRow.endpoint_id == endpoint_id, MessageRow.state == MessageState.DEAD)


async def count_dead(session: AsyncSession) -> dict[int, int]:
    """How many messages were given up, by endpoint."""
    query = text(
        "SELECT endpoint_id, count(*) AS number FROM webhook_messages WHERE state = 'dead' GROUP BY endpoint_id"
    )
    return {row.endpoint_id: row.number for row in await session.execute(query)}


async def _active(session: AsyncSession, endpoint_id: int) -> None:
    if (await service.get(session, endpoint_id)).status is not EndpointStatus.ACTIVE:
        raise EndpointDisabled(endpoint_id=endpoint_id)


async def _again(session: AsyncSession, *wanted: ColumnElement[bool]) -> int:
    """A call that is on its way meanwhile loses its fence: what it comes to is logged and changes nothing."""
    fresh = {"state": MessageState.WAITING, "tries": 0, "finished_at": None, "lease_until": None}
    change = update(MessageRow).where(*wanted).values(**fresh, due_at=await clock.now(session))
    done = await session.execute(change.values(fence=MessageRow.fence + 1))
    assert isinstance(done, CursorResult)
    return done.rowcount


def _same(endpoint_id: int, event_id: UUID) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return (MessageRow.endpoint_id == endpoint_id, MessageRow.event_id == event_id)


def _message(row: MessageRow) -> Message:
    is_waiting = row.state == MessageState.WAITING
    finished: datetime | None = row.finished_at
    return Message(
        endpoint_id=row.endpoint_id,
        event_id=row.event_id,
        kind=row.kind,
        occurred_at=row.occurred_at,
        sequence=row.sequence,
        state=MessageState(row.state),
        attempts=row.attempts,
        due_at=row.due_at if is_waiting else None,
        finished_at=finished,
        last_status=row.last_status,
        last_error=row.last_error,
        created_at=row.created_at,
    )
