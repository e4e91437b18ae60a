"""Messages to endpoints that were given up after their last try."""

from uuid import UUID

from sqlalchemy import ColumnElement, delete, false, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from crm.jobs.dead import DeadLetter, DeadLetterNotFound
from crm.webhooks import messages, sending
from crm.webhooks.models import EndpointRow, MessageRow
from crm.webhooks.types import MessageState

_ID_DIGITS = 18
_IS_DEAD = MessageRow.state == MessageState.DEAD


class DeadMessages:
    """Implements `crm.jobs.dead.DeadLetterBox`; the key is the endpoint's id, a dot, and the event's id."""

    name = "webhooks"

    async def count(self, session: AsyncSession) -> int:
        """How many messages are dead."""
        return (await session.execute(select(func.count()).select_from(MessageRow).where(_IS_DEAD))).scalar_one()

    async def listing(self, session: AsyncSession, *, limit: int) -> list[DeadLetter]:
        """Dead messages, newest first."""
        query = (
            select(MessageRow, EndpointRow.name)
            .join(EndpointRow, EndpointRow.id == MessageRow.endpoint_id)
            .where(_IS_DEAD)
            .order_by(MessageRow.finished_at.desc(), MessageRow.endpoint_id, MessageRow.sequence.desc())
            .limit(limit)
        )
        return [_letter(row, name) for row, name in await session.execute(query)]

    async def replay(self, session: AsyncSession, key: str) -> None:
        """Due now, with all its tries. Raises DeadLetterNotFound, EndpointDisabled."""
        row = await _one(session, key)
        await messages.replay(session, row.endpoint_id, row.event_id)

    async def discard(self, session: AsyncSession, key: str) -> None:
        """The event stays in the log; this endpoint is not told of it. Raises DeadLetterNotFound."""
        row = await _one(session, key)
        await session.execute(delete(MessageRow).where(*_same(row.endpoint_id, row.event_id)))

    async def reveal(self, session: AsyncSession, key: str) -> str:
        """The body as it would be sent. Raises DeadLetterNotFound."""
        body = await sending.body_of(session, await _one(session, key))
        if body is None:
            raise DeadLetterNotFound
        return body.decode()


webhooks = DeadMessages()


def _letter(row: MessageRow, name: str) -> DeadLetter:
    return DeadLetter(
        key=f"{row.endpoint_id}.{row.event_id}",
        title=f"{row.kind} → {name}",
        reason=row.last_error or "",
        tries=row.attempts,
        since=row.created_at,
        died_at=row.finished_at or row.due_at,
    )


def _same(endpoint_id: int, event_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return (MessageRow.endpoint_id == endpoint_id, MessageRow.event_id == event_id, _IS_DEAD)


def _wanted(key: str) -> tuple[ColumnElement[bool], ...]:
    number, _, event_id = key.partition(".")
    is_number = number.isascii() and number.isdecimal() and len(number) <= _ID_DIGITS
    try:
        return _same(int(number), UUID(event_id)) if is_number else (false(),)
    except ValueError:
        return (false(),)


async def _one(session: AsyncSession, key: str) -> MessageRow:
    query = select(MessageRow).where(*_wanted(key)).execution_options(populate_existing=True)
    row = await session.scalar(query)
    if row is None:
        raise DeadLetterNotFound
    return row
