"""Hands recorded events to their subscribers, each hand-off in a transaction of its own.

Rows are claimed, never a position in a sequence: a transaction that commits late is not skipped.
"""

from datetime import timedelta

import structlog
from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.db.session import Sessions
from crm.events import subscriptions
from crm.events.models import HandoffRow
from crm.events.service import find
from crm.kit.failures import where

MAX_ATTEMPTS = 5
_BACKOFF = (1, 5, 30, 300)
log = structlog.get_logger(__name__)


async def relay_once(sessions: Sessions) -> bool:
    """Handle the hand-off that is due longest; False when none is due. Safe to run in any number of workers."""
    async with sessions.begin() as session:
        handoff = await _claim(session)
        if handoff is None:
            return False
        try:
            async with session.begin_nested():
                await _handle(session, handoff)
        except Exception as error:  # noqa: BLE001 - a subscriber may fail in any way; the others must go on
            await _postpone(session, handoff, error)
        else:
            await session.execute(delete(HandoffRow).where(*_same(handoff)))
    return True


async def relay_all(sessions: Sessions, *, limit: int = 10_000) -> int:
    """Handle what is due until nothing is left or `limit` is reached; answers how many were handled."""
    handled = 0
    while handled < limit and await relay_once(sessions):
        handled += 1
    return handled


async def _claim(session: AsyncSession) -> HandoffRow | None:
    due = select(HandoffRow).where(HandoffRow.is_dead.is_(False), HandoffRow.due_at <= await clock.now(session))
    found = await session.scalars(due.order_by(HandoffRow.due_at).limit(1).with_for_update(skip_locked=True))
    return found.one_or_none()


async def _handle(session: AsyncSession, handoff: HandoffRow) -> None:
    taker = subscriptions.of(session).named(handoff.subscriber)
    event = await find(session, handoff.event_id, handoff.occurred_at)
    if taker is not None and event is not None:
        await taker.handle(session, event)


async def _postpone(session: AsyncSession, handoff: HandoffRow, error: Exception) -> None:
    attempts = handoff.attempts + 1
    is_dead = attempts >= MAX_ATTEMPTS
    log.warning("handoff_failed", subscriber=handoff.subscriber, event_id=str(handoff.event_id), error=where(error))
    # A dead one is due never; `due_at` then says when it died.
    delay = timedelta() if is_dead else timedelta(seconds=_BACKOFF[attempts - 1])
    await session.execute(
        update(HandoffRow)
        .where(*_same(handoff))
        .values(
            attempts=attempts,
            is_dead=is_dead,
            last_error=where(error)[:500],
            due_at=await clock.now(session) + delay,
        )
    )


def _same(handoff: HandoffRow) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return (HandoffRow.event_id == handoff.event_id, HandoffRow.subscriber == handoff.subscriber)
