"""Storing updates before they are acknowledged, taking them chat by chat, giving up and replaying."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock, joint
from crm.db.joint import Part
from crm.db.prepared import Prepared
from crm.db.session import vault
from crm.inbox.models import DeadLetterRow, InboundKeyRow, InboundQueueRow, InboundUpdateRow
from crm.inbox.types import DeadLetter, Finished, NewUpdate, StoredUpdate, TakenUpdate, WaitingChat
from crm.jobs.dead import DeadLetterNotFound
from crm.kit.clock import process_now
from crm.kit.ids import uuid7
from crm.kit.text import clean_text

MAX_ATTEMPTS = 5
MAX_REASON = 1000
PAYLOAD = "inbound_updates.payload"
KEEP_KEYS = timedelta(days=9)
_BACKOFF_SECONDS = (0, 1, 4, 15)
_STORE = Prepared(
    text("""
WITH given AS (
    SELECT * FROM unnest(
        CAST(:ids AS uuid[]), CAST(:bots AS bigint[]), CAST(:keys AS text[]), CAST(:chats AS text[]),
        CAST(:payloads AS bytea[])
    ) WITH ORDINALITY AS g (id, bot_id, update_key, chat_key, payload, place)
), fresh AS (
    INSERT INTO inbound_keys (bot_id, update_key, received_at)
    SELECT bot_id, update_key, siyu_now() FROM given ORDER BY bot_id, update_key
    ON CONFLICT DO NOTHING RETURNING bot_id, update_key, received_at
), stored AS (
    INSERT INTO inbound_updates (id, received_at, bot_id, chat_key, update_key, payload)
    SELECT id, received_at, bot_id, chat_key, update_key, payload FROM given JOIN fresh USING (bot_id, update_key)
)
INSERT INTO inbound_queue (update_id, received_at, bot_id, chat_key, due_at)
SELECT id, received_at, bot_id, chat_key, received_at FROM given JOIN fresh USING (bot_id, update_key) ORDER BY place
RETURNING update_id, received_at
""")
)
_WAITING = text("""
SELECT bot_id, chat_key FROM (
    SELECT DISTINCT ON (bot_id, chat_key) bot_id, chat_key, position, due_at
    FROM inbound_queue ORDER BY bot_id, chat_key, position
) AS heads
WHERE due_at <= siyu_now() - CAST(:older_than AS interval) ORDER BY position LIMIT :limit
""")
_FINISH = Part(
    [
        (
            "finishing",
            """
    SELECT * FROM unnest(CAST(:positions AS bigint[]), CAST(:bots AS bigint[]), CAST(:chats AS text[]))
        WITH ORDINALITY AS g (position, bot_id, chat_key, place)
""",
        ),
        ("finished", "DELETE FROM inbound_queue WHERE position = ANY(CAST(:positions AS bigint[])) RETURNING position"),
    ],
    [
        ("has_waited", "ARRAY(SELECT position IN (SELECT position FROM finished) FROM finishing ORDER BY place)"),
        (
            "has_more",
            """ARRAY(SELECT EXISTS (
    SELECT FROM inbound_queue q WHERE q.bot_id = f.bot_id AND q.chat_key = f.chat_key AND q.position <> f.position
) FROM finishing f ORDER BY place)""",
        ),
    ],
    is_plural=True,
    answers_each=True,
)
_TAKE = Prepared(
    text(
        "SELECT CAST(:bot_id AS bigint) AS bot_id, CAST(:chat_key AS text) AS chat_key, *"
        " FROM siyu_take_update(:bot_id, :chat_key)"
    ),
    one_by={"bot_id": "bot_id", "chat_key": "chat_key"},
    time_in="at",
)


async def store(
    session: AsyncSession, *, bot_id: int, update_key: str, chat_key: str, payload: bytes
) -> StoredUpdate | None:
    """Store a raw update, sealed; None if its key was seen before. Commit, then acknowledge."""
    return (await store_many(session, [NewUpdate(bot_id, update_key, chat_key, payload)]))[0]


async def store_many(session: AsyncSession, updates: Sequence[NewUpdate]) -> list[StoredUpdate | None]:
    """Like `store`, in one statement: one for each, in order; of those with the same key the first counts."""
    first: dict[tuple[int, str], NewUpdate] = {}
    for item in updates:
        first.setdefault((item.bot_id, item.update_key), item)
    taken = list(first.values())
    ids = [uuid7(process_now()) for _ in taken]
    box = vault(session)
    rows = await _STORE.fetch(
        session,
        ids=ids,
        bots=[item.bot_id for item in taken],
        keys=[item.update_key for item in taken],
        chats=[item.chat_key for item in taken],
        payloads=[box.seal(item.payload, _place(own)) for own, item in zip(ids, taken, strict=True)],
    )
    times = {row["update_id"]: row["received_at"] for row in rows}
    stored = {
        id(item): StoredUpdate(own, times[own], item.bot_id, item.chat_key)
        for own, item in zip(ids, taken, strict=True)
        if own in times
    }
    return [stored.get(id(item)) for item in updates]


async def next_for_chat(session: AsyncSession, bot_id: int, chat_key: str) -> TakenUpdate | None:
    """Lock the chat until this transaction ends and take its first update, due or not; None when none waits."""
    row = await _TAKE.first(session, bot_id=bot_id, chat_key=chat_key)
    if row is None:
        return None
    own, at = row["id"], row["at"]
    clock.remember(session, at)
    payload = vault(session).open_bytes(row["payload"], _place(own))
    retry_after = max(0.0, (row["due_at"] - at).total_seconds())
    return TakenUpdate(
        row["queue_position"], own, row["received_at"], bot_id, chat_key, payload, row["attempts"], retry_after
    )


async def lock_chat(session: AsyncSession, bot_id: int, chat_key: str) -> None:
    """Lock the chat until this transaction ends, for work that is not an update."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(chat_key, bot_id))))


async def waiting(session: AsyncSession, *, limit: int = 100, older_than: timedelta = timedelta()) -> list[WaitingChat]:
    """Chats whose first update has been due for `older_than`, longest first."""
    rows = await session.execute(_WAITING, {"older_than": older_than, "limit": limit})
    return [WaitingChat(*row) for row in rows]


async def finish(session: AsyncSession, taken: TakenUpdate) -> Finished:
    """The update was handled; commits with its effects, and with it all is written that waits in `crm.db.joint`."""
    values = {"positions": [taken.position], "bots": [taken.bot_id], "chats": [taken.chat_key]}
    row = await joint.run(session, _FINISH, values)
    return Finished(row["has_waited"], row["has_more"])


async def fail(session: AsyncSession, taken: TakenUpdate, reason: str) -> float | None:
    """Count a failed try under the chat's lock. Seconds until the next one; None if this was the last.

    After the last try, or if someone else handled it meanwhile, nothing waits any more.
    """
    attempts = taken.attempts + 1
    if attempts >= MAX_ATTEMPTS:
        await give_up(session, taken, reason, attempts=attempts)
        return None
    delay = _BACKOFF_SECONDS[min(attempts, len(_BACKOFF_SECONDS)) - 1]
    due_at = await clock.now(session) + timedelta(seconds=delay)
    values = {"attempts": attempts, "due_at": due_at}
    await session.execute(update(InboundQueueRow).where(InboundQueueRow.position == taken.position).values(values))
    return float(delay)


async def give_up(session: AsyncSession, taken: TakenUpdate, reason: str, *, attempts: int) -> None:
    """Turn the update into a dead letter; those behind it go on."""
    if not (await finish(session, taken)).has_waited:
        return
    news = {
        "attempts": attempts,
        "reason": clean_text(reason)[:MAX_REASON],
        "died_at": await clock.now(session),
        "replayed_at": None,
    }
    key = {"update_id": taken.id, "received_at": taken.received_at, "bot_id": taken.bot_id, "chat_key": taken.chat_key}
    letter = upsert(DeadLetterRow).values(**key, **news)
    await session.execute(letter.on_conflict_do_update(index_elements=["update_id"], set_=news))


async def dead_letters(session: AsyncSession, *, limit: int = 50) -> list[DeadLetter]:
    """What was given up and not replayed, newest first."""
    waits = select(DeadLetterRow).where(DeadLetterRow.replayed_at.is_(None))
    rows = await session.scalars(waits.order_by(DeadLetterRow.died_at.desc()).limit(limit))
    return [_dead_letter(row) for row in rows]


async def replay(session: AsyncSession, update_id: UUID) -> WaitingChat:
    """Queue a dead letter again, at the end of its chat. Raises DeadLetterNotFound."""
    moment = await clock.now(session)
    query = (
        update(DeadLetterRow)
        .where(DeadLetterRow.update_id == update_id, DeadLetterRow.replayed_at.is_(None))
        .values(replayed_at=moment)
        .returning(DeadLetterRow)
    )
    row = (await session.execute(query)).scalar_one_or_none()
    if row is None:
        raise DeadLetterNotFound
    chat = WaitingChat(row.bot_id, row.chat_key)
    values = {"update_id": row.update_id, "received_at": row.received_at, "due_at": moment, **vars(chat)}
    await session.execute(insert(InboundQueueRow).values(values))
    return chat


async def discard(session: AsyncSession, update_id: UUID) -> None:
    """Never handle a dead letter's update; the update itself is kept. Raises DeadLetterNotFound."""
    query = delete(DeadLetterRow).where(DeadLetterRow.update_id == update_id, DeadLetterRow.replayed_at.is_(None))
    if (await session.execute(query.returning(DeadLetterRow.update_id))).first() is None:
        raise DeadLetterNotFound


async def payload(session: AsyncSession, update_id: UUID) -> bytes:
    """The raw update of a dead letter, opened: personal data. Raises DeadLetterNotFound."""
    same = (InboundUpdateRow.id == DeadLetterRow.update_id) & (
        InboundUpdateRow.received_at == DeadLetterRow.received_at
    )
    query = select(InboundUpdateRow.payload).join(DeadLetterRow, same).where(DeadLetterRow.update_id == update_id)
    sealed = await session.scalar(query.where(DeadLetterRow.replayed_at.is_(None)))
    if sealed is None:
        raise DeadLetterNotFound
    return vault(session).open_bytes(sealed, _place(update_id))


async def forget_keys(session: AsyncSession, *, limit: int = 5000) -> int:
    """Remove keys that no provider repeats any more; answers how many."""
    old = (
        select(InboundKeyRow.bot_id, InboundKeyRow.update_key)
        .where(InboundKeyRow.received_at < func.siyu_now() - KEEP_KEYS)
        .limit(limit)
        .subquery()
    )
    same = (InboundKeyRow.bot_id == old.c.bot_id, InboundKeyRow.update_key == old.c.update_key)
    gone = await session.execute(delete(InboundKeyRow).where(*same).returning(InboundKeyRow.bot_id))
    return len(gone.all())


def _place(update_id: UUID) -> str:
    return f"{PAYLOAD}:{update_id}"


def _dead_letter(row: DeadLetterRow) -> DeadLetter:
    return DeadLetter(
        update_id=row.update_id,
        received_at=row.received_at,
        bot_id=row.bot_id,
        chat_key=row.chat_key,
        attempts=row.attempts,
        reason=row.reason,
        died_at=row.died_at,
        replayed_at=row.replayed_at,
    )
