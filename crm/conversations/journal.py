"""Stores what waiting runs already did; values are sealed, and go when the run ends."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, delete, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from crm.conversations.models import JournalRow
from crm.conversations.types import JournalEntry
from crm.db.prepared import Prepared
from crm.db.session import vault

VALUE = "conversation_journal.value"
_TABLE = JournalRow.metadata.tables["conversation_journal"]
# Driven bare: every answer to a question reads the journal and adds to it.
_READ = Prepared(
    select(_TABLE.c.path, _TABLE.c.occurrence, _TABLE.c.position, _TABLE.c.is_effect, _TABLE.c.value)
    .where(_TABLE.c.conversation_id == bindparam("conversation_id"), _TABLE.c.run == bindparam("run"))
    .order_by(_TABLE.c.position)
)
_DROP = Prepared(
    delete(_TABLE).where(_TABLE.c.conversation_id == bindparam("conversation_id"), _TABLE.c.run == bindparam("run"))
)
_WRITE = Prepared(
    text("""
INSERT INTO conversation_journal (conversation_id, run, path, occurrence, position, is_effect, value)
SELECT CAST(:conversation_id AS bigint), CAST(:run AS int), given.*
FROM unnest(
    CAST(:paths AS text[]), CAST(:occurrences AS int[]), CAST(:positions AS int[]), CAST(:effects AS boolean[]),
    CAST(:values AS bytea[])
) AS given
""")
)


async def entries(session: AsyncSession, conversation_id: int, run: int) -> list[JournalEntry]:
    """What the run did, in order."""
    rows = await _READ.fetch(session, conversation_id=conversation_id, run=run)
    box = vault(session)

    def opened(path: str, occurrence: int, value: bytes) -> Any:
        return json.loads(box.open(value, _place(conversation_id, run, path, occurrence)))

    return [
        JournalEntry(path, occurrence, position, is_effect, opened(path, occurrence, value))
        for path, occurrence, position, is_effect, value in rows
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
    if not added:
        return
    box = vault(session)
    await _WRITE.fetch(
        session,
        conversation_id=conversation_id,
        run=run,
        paths=[entry.path for entry in added],
        occurrences=[entry.occurrence for entry in added],
        positions=[entry.position for entry in added],
        effects=[entry.is_effect for entry in added],
        values=[
            box.seal(
                json.dumps(entry.value, ensure_ascii=False), _place(conversation_id, run, entry.path, entry.occurrence)
            )
            for entry in added
        ],
    )


async def drop(session: AsyncSession, conversation_id: int, run: int) -> None:
    """Forget the run."""
    await _DROP.fetch(session, conversation_id=conversation_id, run=run)


def _place(conversation_id: int, run: int, path: str, occurrence: int) -> str:
    return f"{VALUE}:{conversation_id}:{run}:{path}:{occurrence}"
