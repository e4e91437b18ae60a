"""Inserting replies of the interactive lane, with their sealed bodies."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock, joint
from crm.db.joint import Part
from crm.db.session import vault
from crm.deliveries.types import MessageClass
from crm.kit.ids import uuid7
from crm.members.types import Identity
from crm.messages.types import Outbound

BODY = "delivery_replies.body"
GRACE = timedelta(seconds=5)
"""What the committing process is given before a sweeper looks after its replies."""

_ADD = Part(
    [
        (
            "replies",
            """
    SELECT id, body, (place - 1)::smallint AS step
    FROM unnest(CAST(:ids AS uuid[]), CAST(:bodies AS bytea[])) WITH ORDINALITY AS g (id, body, place)
""",
        ),
        (
            "made",
            """
    INSERT INTO interactive_deliveries (source_kind, source_id, member_id, step, source_month, id)
    SELECT CAST(:source_kind AS text), CAST(:source_id AS text), CAST(:member_id AS bigint), step,
        CAST(:source_month AS date), id
    FROM replies
    ON CONFLICT DO NOTHING RETURNING step, id
""",
        ),
        (
            "opened",
            """
    INSERT INTO delivery_replies
        (delivery_id, source_month, identity_id, message_class, is_gated, body, due_at)
    SELECT id, CAST(:source_month AS date), CAST(:identity_id AS bigint), CAST(:message_class AS text),
        CAST(:is_gated AS boolean), body, clock_timestamp() + CAST(:grace AS interval)
    FROM replies JOIN made USING (id) ORDER BY replies.step
""",
        ),
    ],
    [
        (
            "delivery_ids",
            """ARRAY(SELECT id FROM (
    SELECT step, id FROM made
    UNION ALL
    SELECT step, id FROM interactive_deliveries
    WHERE source_kind = CAST(:source_kind AS text) AND source_id = CAST(:source_id AS text)
        AND member_id = CAST(:member_id AS bigint) AND source_month = CAST(:source_month AS date)
        AND step < cardinality(CAST(:ids AS uuid[]))
) AS known ORDER BY step)""",
        )
    ],
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
    """Insert replies in order, step by step of their source; a `last` write of `crm.db.joint`.

    When a step has one already, nothing changes, and its id is answered unless the write waits.
    """
    now = await clock.now(session)
    ids = [uuid7(now) for _ in messages]
    box = vault(session)
    bodies = [orjson.dumps(message.as_json()) for message in messages]
    values = {
        "ids": ids,
        "bodies": [box.seal(body, place(own)) for own, body in zip(ids, bodies, strict=True)],
        "source_kind": source.kind,
        "source_id": source.id,
        "source_month": source.month,
        "member_id": identity.member_id,
        "identity_id": identity.id,
        "message_class": message_class,
        "is_gated": is_gated,
        "grace": GRACE,
    }
    row = await joint.last(session, _ADD, values)
    return ids if row is None else list(row["delivery_ids"])
