"""What wakes a waiting conversation without a word from the member: timers and results of jobs."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.conversations.models import ConversationRow, WakeRow
from crm.conversations.types import Place, Wake, WakeKind
from crm.db import clock
from crm.db.session import vault
from crm.recovery import views as recovery

VALUE = "conversation_wakes.value"


async def schedule(session: AsyncSession, place: Place, kind: WakeKind, due_at: datetime) -> None:
    """Wake the question at `place` at a time; once for each kind."""
    row = {**vars(place), "kind": kind, "due_at": due_at}
    await session.execute(insert(WakeRow).values(row).on_conflict_do_nothing())


async def cancel(session: AsyncSession, place: Place) -> None:
    """Forget what would wake the question."""
    same = (WakeRow.run == place.run, WakeRow.step == place.step)
    await session.execute(delete(WakeRow).where(WakeRow.conversation_id == place.conversation_id, *same))


async def cancel_run(session: AsyncSession, conversation_id: int, run: int) -> None:
    """Forget what would wake any question of the run."""
    await session.execute(delete(WakeRow).where(WakeRow.conversation_id == conversation_id, WakeRow.run == run))


async def report(session: AsyncSession, address: str, result: Any = None, *, error: str | None = None) -> None:
    """Hand a job's result (JSON values) or what went wrong to the conversation that waits at `address`.

    A second report does nothing; so does one to a conversation that no longer waits.
    """
    value = {"result": result} if error is None else {"error": error}
    row = {
        **vars(Place.parse(address)),
        "kind": WakeKind.RESULT,
        "due_at": await clock.now(session),
        "value": vault(session).seal(json.dumps(value), _sealed_at(address)),
    }
    await session.execute(insert(WakeRow).values(row).on_conflict_do_nothing())


async def due(session: AsyncSession, *, limit: int = 100) -> list[Wake]:
    """What is due, longest first; nothing is claimed: each is handled under its conversation's lock.

    In the safe mode only results of jobs wake: reminders would reach members out of the blue.
    """
    may_wake = or_(WakeRow.kind == WakeKind.RESULT, ~recovery.is_on())
    query = _with_conversation().where(WakeRow.due_at <= func.siyu_now(), may_wake)
    query = query.order_by(WakeRow.due_at).limit(limit)
    return [_wake(session, *row) for row in await session.execute(query)]


async def find(session: AsyncSession, wake_id: int) -> Wake | None:
    """One that still waits, read under its conversation's lock; None if it was handled or cancelled meanwhile."""
    row = (await session.execute(_with_conversation().where(WakeRow.id == wake_id))).one_or_none()
    return None if row is None else _wake(session, *row)


async def postpone(session: AsyncSession, wake_id: int, due_at: datetime) -> None:
    """Try again at `due_at`, after a failure; counts the attempt."""
    values = {"due_at": due_at, "attempts": WakeRow.attempts + 1}
    await session.execute(update(WakeRow).where(WakeRow.id == wake_id).values(values))


async def drop(session: AsyncSession, wake_id: int) -> None:
    """Give one up."""
    await session.execute(delete(WakeRow).where(WakeRow.id == wake_id))


def _with_conversation() -> Select[WakeRow, int, int, str]:
    joined = select(WakeRow, ConversationRow.identity_id, ConversationRow.bot_id, ConversationRow.chat_key)
    return joined.join(ConversationRow, ConversationRow.id == WakeRow.conversation_id)


def _sealed_at(address: str) -> str:
    return f"{VALUE}:{address}"


def _wake(session: AsyncSession, row: WakeRow, identity_id: int, bot_id: int, chat_key: str) -> Wake:
    place = Place(row.conversation_id, row.run, row.step)
    value = None
    if row.value is not None:
        value = json.loads(vault(session).open(row.value, _sealed_at(str(place))))
    return Wake(row.id, place, identity_id, bot_id, chat_key, WakeKind(row.kind), row.attempts, value)
