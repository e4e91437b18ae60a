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
    SELECT * FROM unnest(
        CAST(:ids AS uuid[]), CAST(:bodies AS bytea[]), CAST(:steps AS smallint[]), CAST(:source_kinds AS text[]),
        CAST(:source_ids AS text[]), CAST(:months AS date[]), CAST(:members AS bigint[]),
        CAST(:identities AS bigint[]), CAST(:classes AS text[]), CAST(:gated AS boolean[]), CAST(:graces AS interval[])
    ) WITH ORDINALITY AS g (id, body, step, source_kind, source_id, source_month, member_id, identity_id,
        message_class, is_gated, grace, place)
""",
        ),
        (
            "made",
            """
    INSERT INTO interactive_deliveries (source_kind, source_id, member_id, step, source_month, id)
    SELECT source_kind, source_id, member_id, step, source_month, id FROM replies
    ON CONFLICT DO NOTHING RETURNING step, id
""",
        ),
        (
            "opened",
            """
    INSERT INTO delivery_replies
        (delivery_id, source_month, identity_id, message_class, is_gated, body, due_at)
    SELECT id, source_month, identity_id, message_class, is_gated, body,
        clock_timestamp() + grace
    FROM replies JOIN made USING (id) ORDER BY replies.place
""",
        ),
    ],
    [
        (
            "delivery_ids",
            """ARRAY(SELECT id FROM (
    SELECT step, id FROM made
    UNION ALL
    SELECT known.step, known.id FROM interactive_deliveries known JOIN replies
        ON known.source_kind = replies.source_kind AND known.source_id = replies.source_id
        AND known.member_id = replies.member_id AND known.source_month = replies.source_month
        AND known.step = replies.step
) AS known ORDER BY step)""",
        )
    ],
    is_plural=True,
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
    number = len(ids)
    values = {
        "ids": ids,
        "bodies": [box.seal(body, place(own)) for own, body in zip(ids, bodies, strict=True)],
        "steps": list(range(number)),
        "source_kinds": [source.kind] * number,
        "source_ids": [source.id] * number,
        "months": [source.month] * number,
        "members": [identity.member_id] * number,
        "identities": [identity.id] * number,
        "classes": [message_class] * number,
        "gated": [is_gated] * number,
        "graces": [GRACE] * number,
    }
    row = await joint.last(session, _ADD, values)
    return ids if row is None else list(row["delivery_ids"])
