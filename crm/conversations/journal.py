"""Stores what waiting runs already did; values are sealed, and go when the run ends."""

import json
from collections.abc import Sequence

from sqlalchemy import delete, insert, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from crm.conversations.models import JournalRow
from crm.conversations.types import JournalEntry
from crm.db.session import vault

VALUE = "conversation_journal.value"
_WRITE = insert(JournalRow.metadata.tables["conversation_journal"])


async def entries(session: AsyncSession, conversation_id: int, run: int) -> list[JournalEntry]:
    """What the run did, in order."""
    query = select(JournalRow).where(JournalRow.conversation_id == conversation_id, JournalRow.run == run)
    rows = await session.scalars(query.order_by(JournalRow.position))
    box = vault(session)
    return [
        JournalEntry(
            path=row.path,
            occurrence=row.occurrence,
            position=row.position,
            is_effect=row.is_effect,
            value=json.loads(box.open(row.value, _place(conversation_id, run, row.path, row.occurrence))),
        )
        for row in rows
    ]


async def write(
    session: AsyncSession,
    conversation_id: int,
    run: int,
    *,
    added: Sequence[JournalEntry],
    removed: Sequence[JournalEntry],
) -> None:
    """Store how the run's journal changed."""
    if removed:
        gone = [(entry.path, entry.occurrence) for entry in removed]
        await session.execute(
            delete(JournalRow).where(
                JournalRow.conversation_id == conversation_id,
                JournalRow.run == run,
                tuple_(JournalRow.path, JournalRow.occurrence).in_(gone),
            )
        )
    box = vault(session)
    rows = [
        {
            **vars(entry),
            "conversation_id": conversation_id,
            "run": run,
            "value": box.seal(
                json.dumps(entry.value, ensure_ascii=False), _place(conversation_id, run, entry.path, entry.occurrence)
            ),
        }
        for entry in added
    ]
    if rows:
        await session.execute(_WRITE, rows)


async def drop(session: AsyncSession, conversation_id: int, run: int) -> None:
    """Forget the run."""
    await session.execute(
        delete(JournalRow).where(JournalRow.conversation_id == conversation_id, JournalRow.run == run)
    )


def _place(conversation_id: int, run: int, path: str, occurrence: int) -> str:
    return f"{VALUE}:{conversation_id}:{run}:{path}:{occurrence}"
