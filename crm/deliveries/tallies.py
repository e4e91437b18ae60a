"""Counting the deliveries of one chunk, from its rows or while they are written; both give the same figures."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from crm.deliveries.policy import Result

OPEN = frozenset({"deferred", "retry", "repeat", "requeued"})
_FROM_ROWS = text("""
SELECT coalesce(r.outcome, 'requeued') AS outcome, r.reason, count(*) AS number, min(r.not_before) AS next_at
FROM delivery_chunks c
JOIN delivery_sources s ON s.id = c.broadcast_id
JOIN bulk_deliveries d ON d.broadcast_id = c.broadcast_id AND d.source_month = s.source_month
    AND d.chunk_id = c.id AND d.member_id BETWEEN c.first_member_id AND c.last_member_id
LEFT JOIN delivery_latest r ON r.source_month = s.source_month AND r.chunk_id = c.id AND r.delivery_id = d.id
WHERE c.id = :chunk
GROUP BY 1, 2
""")


@dataclass
class Tally:
    """How many deliveries of a chunk ended how, and when the open ones are due."""

    ended: Counter[str] = field(default_factory=Counter)
    """By state, and `suppressed:<reason>`."""
    open: int = 0
    next_at: datetime | None = None
    is_due_now: bool = False

    def add(self, results: Iterable[Result]) -> None:
        """Count the first result of each of some deliveries."""
        for result in results:
            self._count(result.outcome, result.reason, 1, result.not_before)

    def _count(self, outcome: str, reason: str | None, number: int, next_at: datetime | None) -> None:
        if outcome not in OPEN:
            self.ended[f"suppressed:{reason}" if outcome == "suppressed" else outcome] += number
            return
        self.open += number
        if next_at is None:
            self.is_due_now = True
        elif self.next_at is None or next_at < self.next_at:
            self.next_at = next_at

    def due(self, now: datetime) -> datetime:
        """When the chunk is to be taken up again."""
        return now if self.is_due_now or self.next_at is None else self.next_at

    def as_json(self) -> Mapping[str, int]:
        """What is kept with a chunk while nobody works on it."""
        return dict(self.ended) | ({"queued": self.open} if self.open else {})


async def from_rows(session: AsyncSession, chunk_id: int) -> Tally:
    """The chunk's figures as its rows have them."""
    tally = Tally()
    for row in await session.execute(_FROM_ROWS, {"chunk": chunk_id}):
        tally._count(row.outcome, row.reason, row.number, row.next_at)  # noqa: SLF001 - same module
    return tally
