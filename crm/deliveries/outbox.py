"""Inserting replies of the interactive lane, with their sealed bodies."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.db.prepared import Prepared
from crm.db.session import vault
from crm.deliveries.types import MessageClass
from crm.kit.ids import uuid7
from crm.members.types import Identity
from crm.messages.types import Outbound

BODY = "delivery_replies.body"
GRACE = timedelta(seconds=5)
"""What the committing process is given before a sweeper looks after its replies."""

_ADD = Prepared(
    text("""
WITH given AS (
    SELECT id, body, (place - 1)::smallint AS step
    FROM unnest(CAST(:ids AS uuid[]), CAST(:bodies AS bytea[])) WITH ORDINALITY AS g (id, body, place)
), made AS (
    INSERT INTO interactive_deliveries (source_kind, source_id, member_id, step, source_month, id)
    SELECT CAST(:source_kind AS text), CAST(:source_id AS text), CAST(:member_id AS bigint), step,
        CAST(:source_month AS date), id
    FROM given
    ON CONFLICT DO NOTHING RETURNING step, id
), opened AS (
    INSERT INTO delivery_replies
        (delivery_id, source_month, identity_id, message_class, is_gated, body, due_at)
    SELECT id, CAST(:source_month AS date), CAST(:identity_id AS bigint), CAST(:message_class AS text),
        CAST(:is_gated AS boolean), body, clock_timestamp() + CAST(:grace AS interval)
    FROM given JOIN made USING (id) ORDER BY given.step
)
SELECT step, id FROM made
UNION ALL
SELECT step, id FROM interactive_deliveries
WHERE source_kind = CAST(:source_kind AS text) AND source_id = CAST(:source_id AS text)
    AND member_id = CAST(:member_id AS bigint) AND source_month = CAST(:source_month AS date)
""")
)
"""One round trip for both rows of every message of a turn, through the ORM it was two for each."""


@dataclass(frozen=True)
class Source:
    """What is answered, and the partition that follows from it."""

    kind: str
    id: str
    month: date


def place(delivery_id: UUID) -> str:
    """What the body is sealed to."""
    return f"{BODY}:{delivery_id}"


async def add(
    session: AsyncSession,
    identity: Identity,
    source: Source,
    messages: Sequence[Outbound],
    *,
    message_class: MessageClass,
    is_gated: bool,
) -> list[UUID]:
    """Insert replies in order, step by step of their source, in one statement.

    When a step has one already, its id is answered and nothing changes.
    """
    now = await clock.now(session)
    ids = [uuid7(now) for _ in messages]
    box = vault(session)
    bodies = [orjson.dumps(message.as_json()) for message in messages]
    rows = await _ADD.fetch(
        session,
        ids=ids,
        bodies=[box.seal(body, place(own)) for own, body in zip(ids, bodies, strict=True)],
        source_kind=source.kind,
        source_id=source.id,
        source_month=source.month,
        member_id=identity.member_id,
        identity_id=identity.id,
        message_class=message_class,
        is_gated=is_gated,
        grace=GRACE,
    )
    known = {row["step"]: row["id"] for row in rows}
    return [known[step] for step in range(len(messages))]
