"""Live figures of a source. What is done is kept with its chunk, everything else is derived from the rows."""

from collections import Counter
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.deliveries.models import SourceRow
from crm.deliveries.types import BroadcastStatus, DeliveryCounts, DeliveryState

_KEPT = text("""
SELECT t.key, sum(t.value::bigint)::bigint AS number
FROM delivery_chunks c CROSS JOIN LATERAL jsonb_each_text(c.tally) t
WHERE c.broadcast_id = :broadcast AND c.is_done AND c.tally IS NOT NULL GROUP BY 1
""")
_UNTOUCHED = text("""
SELECT coalesce(sum(size), 0)::bigint AS number, coalesce(sum(size) FILTER (WHERE not_before > siyu_now()), 0)::bigint
    AS deferred, min(not_before) FILTER (WHERE not_before > siyu_now()) AS next_at
FROM delivery_chunks WHERE broadcast_id = :broadcast AND fence = 0
""")
# The constants let PostgreSQL look into the month and the chunks in question only.
_DERIVED = text("""
SELECT state, CASE WHEN state = 'suppressed' THEN reason END AS reason, count(*) AS number,
    count(*) FILTER (WHERE state = 'queued' AND not_before > siyu_now()) AS deferred,
    min(not_before) FILTER (WHERE state = 'queued' AND not_before > siyu_now()) AS next_at
FROM delivery_states
WHERE source_kind = :kind AND source_id = :id AND source_month = :month AND chunk_id = ANY(:chunks)
GROUP BY 1, 2
""")
_IN_WORK = text("""
SELECT id FROM delivery_chunks WHERE broadcast_id = :broadcast AND fence > 0 AND (NOT is_done OR tally IS NULL)
""")

NONE = DeliveryCounts(by_state={state.value: 0 for state in DeliveryState})
"""Of a source that was not started."""


async def of_source(session: AsyncSession, source: SourceRow) -> DeliveryCounts:
    """The deliveries of one source by state; the figures add up to the rows there are."""
    by_state: Counter[str] = Counter()
    suppressed: Counter[str] = Counter()
    broadcast = {"broadcast": source.id}
    for key, number in await session.execute(_KEPT, broadcast):
        state, _, reason = key.partition(":")
        by_state[state] += number
        if reason:
            suppressed[reason] += number
    untouched = (await session.execute(_UNTOUCHED, broadcast)).one()
    is_cancelled = source.status == BroadcastStatus.CANCELLED
    by_state[DeliveryState.CANCELLED if is_cancelled else DeliveryState.QUEUED] += untouched.number
    waiting = [(untouched.deferred, untouched.next_at)]
    for row in await _derived(session, source):
        by_state[row.state] += row.number
        waiting.append((row.deferred, row.next_at))
        if row.reason is not None:
            suppressed[row.reason] += row.number
    return _summed(by_state, suppressed, [] if is_cancelled else waiting)


async def _derived(session: AsyncSession, source: SourceRow) -> list[Any]:
    chunks = list((await session.scalars(_IN_WORK, {"broadcast": source.id})).all())
    if not chunks:
        return []
    values = {"kind": source.source_kind, "id": source.source_id, "month": source.source_month, "chunks": chunks}
    return list((await session.execute(_DERIVED, values)).all())


def _summed(
    by_state: Counter[str], suppressed: Counter[str], waiting: list[tuple[int, datetime | None]]
) -> DeliveryCounts:
    return DeliveryCounts(
        total=by_state.total(),
        by_state={state.value: by_state[state] for state in DeliveryState},
        suppressed=dict(suppressed),
        deferred=sum(number for number, _ in waiting),
        next_at=min((at for _, at in waiting if at is not None), default=None),
    )
