"""Live figures of a source."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.deliveries.models import SourceRow
from crm.deliveries.types import BroadcastStatus, DeliveryCounts, DeliveryState

# Chunks at rest keep their figures; the few that are being worked on are derived from their rows.
_AT_REST = text("""
SELECT t.key, sum(t.value::int)::bigint AS number,
    coalesce(sum(t.value::int) FILTER (WHERE t.key = 'queued' AND c.not_before > siyu_now()), 0)::bigint AS deferred,
    min(c.not_before) FILTER (WHERE t.key = 'queued' AND c.not_before > siyu_now()) AS next_at
FROM delivery_chunks c CROSS JOIN LATERAL jsonb_each_text(c.tally) t
WHERE c.broadcast_id = :broadcast AND c.tally IS NOT NULL GROUP BY 1
""")
_UNTOUCHED = text("""
SELECT 'queued' AS key, coalesce(sum(size), 0)::bigint AS number,
    coalesce(sum(size) FILTER (WHERE not_before > siyu_now()), 0)::bigint AS deferred,
    min(not_before) FILTER (WHERE not_before > siyu_now()) AS next_at
FROM delivery_chunks WHERE broadcast_id = :broadcast AND fence = 0 AND tally IS NULL
""")
_IN_WORK = text("SELECT id FROM delivery_chunks WHERE broadcast_id = :broadcast AND fence > 0 AND tally IS NULL")
# Equality with constants lets PostgreSQL look into this month and this chunk only.
_DERIVED = text("""
SELECT CASE WHEN state = 'suppressed' THEN 'suppressed:' || reason ELSE state END AS key, count(*) AS number,
    count(*) FILTER (WHERE state = 'queued' AND not_before > siyu_now()) AS deferred,
    min(not_before) FILTER (WHERE state = 'queued' AND not_before > siyu_now()) AS next_at
FROM delivery_states
WHERE source_kind = :kind AND source_id = :id AND source_month = :month AND chunk_id = :chunk GROUP BY 1
""")

NONE = DeliveryCounts(by_state={state.value: 0 for state in DeliveryState})
"""Of a source that was not started."""


async def of_source(session: AsyncSession, source: SourceRow) -> DeliveryCounts:
    """The deliveries of one source by state; the figures add up to the rows there are."""
    broadcast = {"broadcast": source.id}
    rows = [*await session.execute(_AT_REST, broadcast), *await session.execute(_UNTOUCHED, broadcast)]
    where = {"kind": source.source_kind, "id": source.source_id, "month": source.source_month}
    for chunk_id in (await session.scalars(_IN_WORK, broadcast)).all():
        rows += await session.execute(_DERIVED, {**where, "chunk": chunk_id})
    return _summed(rows, is_cancelled=source.status == BroadcastStatus.CANCELLED)


def together(counted: Sequence[DeliveryCounts]) -> DeliveryCounts:
    """The figures of several sources as those of one."""
    by_state: Counter[str] = Counter(NONE.by_state)
    suppressed: Counter[str] = Counter()
    for one in counted:
        by_state.update(one.by_state)
        suppressed.update(one.suppressed)
    return DeliveryCounts(
        total=sum(one.total for one in counted),
        by_state=dict(by_state),
        suppressed=dict(suppressed),
        deferred=sum(one.deferred for one in counted),
        next_at=min((one.next_at for one in counted if one.next_at is not None), default=None),
    )


def _summed(rows: Sequence[Any], *, is_cancelled: bool) -> DeliveryCounts:
    by_state: Counter[str] = Counter()
    suppressed: Counter[str] = Counter()
    for row in rows:
        state, _, reason = row.key.partition(":")
        by_state[DeliveryState.CANCELLED if is_cancelled and state == DeliveryState.QUEUED else state] += row.number
        if reason:
            suppressed[reason] += row.number
    waiting = [] if is_cancelled else rows
    return DeliveryCounts(
        total=by_state.total(),
        by_state={state.value: by_state[state] for state in DeliveryState},
        suppressed=dict(suppressed),
        deferred=sum(row.deferred for row in waiting),
        next_at=min((row.next_at for row in waiting if row.next_at is not None), default=None),
    )
