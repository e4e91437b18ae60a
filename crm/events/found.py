"""Recording thousands of events where the database finds them: their rows never travel to the program and back."""

from dataclasses import fields
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.db import clock
from crm.db.prepared import Prepared
from crm.events import subscriptions
from crm.events.types import Event
from crm.kit.ids import next_number, skip_numbers

_PLAIN = frozenset({int, str, bool, UUID, int | None, str | None, UUID | None})
"""What the database writes into JSON as `Event.data` does."""
# The ids are those of `crm.kit.ids.uuid7`: the time, a number that goes on from row to row, and noise.
_RECORD = """
WITH found AS MATERIALIZED ({query}), told AS MATERIALIZED (
    SELECT found.member_id, jsonb_build_object({data}) AS data,
           (SELECT lpad(to_hex(floor(extract(epoch FROM CAST(:event_time AS timestamptz)) * 1000)::bigint), 12, '0'))
               || '7' || lpad(to_hex(number >> 18), 3, '0') || to_hex(8 | (number >> 16 & 3))
               || lpad(to_hex(number & 65535), 4, '0') || right(gen_random_uuid()::text, 11) AS id
    FROM (SELECT *, CAST(:event_number AS bigint) + row_number() OVER () & 1073741823 AS number FROM found) AS found
), takers AS (
    SELECT taker.name FROM unnest(CAST(:event_takers AS text[]), CAST(:event_choosy AS boolean[]))
        AS taker (name, is_choosy)
    WHERE NOT taker.is_choosy OR EXISTS (
        SELECT FROM event_wishes wish
        WHERE wish.subscriber = taker.name AND wish.kind IN (CAST(:event_kind AS text), '*')
    )
), handed AS (
    INSERT INTO event_handoffs (event_id, subscriber, occurred_at, due_at)
    SELECT told.id::uuid, takers.name, :event_time, :event_time FROM told CROSS JOIN takers
), happened AS (
    INSERT INTO events (id, occurred_at, kind, member_id, data)
    SELECT id::uuid, :event_time, :event_kind, member_id, data FROM told
)
SELECT count(*) AS number FROM told
"""


class Found:
    """Events of one kind, one for each row of a query that answers `member_id` and the event's fields by name."""

    def __init__(self, kind: type[Event], query: str) -> None:
        names = [item.name for item in fields(kind) if item.name != "member_id"]
        assert {item.type for item in fields(kind)} <= _PLAIN, kind
        data = ", ".join(f"'{name}', found.{name}" for name in names)
        self._kind = kind.kind
        self._statement = Prepared(text(_RECORD.format(query=query, data=data)))

    async def record(self, session: AsyncSession, **values: object) -> int:
        """Run the query with these values and record what it finds as of now, as `publish_many` would; how many."""
        known = subscriptions.of(session)
        takers = known.names_for(self._kind)
        row = await self._statement.first(
            session,
            **values,
            event_kind=self._kind,
            event_time=await clock.now(session),
            event_number=next_number(),
            event_takers=takers,
            event_choosy=[known.is_choosy(name) for name in takers],
        )
        many = int(row["number"])
        skip_numbers(many)
        return many
