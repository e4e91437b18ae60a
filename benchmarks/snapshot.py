"""Turning an audience into deliveries, beside the bare INSERT .. SELECT of the same rows under the same key."""

from dataclasses import dataclass

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from benchmarks.stage import Stage
from crm.deliveries import service as deliveries
from crm.kit.clock import monotonic
from crm.profiles.views import profiles

_RUNS = 3
_TABLE = (
    "CREATE TABLE bench_bare (LIKE bulk_deliveries)",
    "ALTER TABLE bench_bare ADD PRIMARY KEY (broadcast_id, member_id, step, source_month)",
)
# The member's bot belongs to the audience: without it nobody knows through whom to send.
_BARE = text("""
INSERT INTO bench_bare (broadcast_id, member_id, id, chunk_id, source_month, step)
SELECT 1, p.member_id, gen_random_uuid(), home.bot_id, date '2026-01-01', 0
FROM profiles p LEFT JOIN (
    SELECT DISTINCT ON (member_id) member_id, bot_id FROM identities WHERE is_reachable
    ORDER BY member_id, last_seen_at DESC
) home ON home.member_id = p.member_id
""")


@dataclass(frozen=True)
class Snapshot:
    """The best of some runs each."""

    seconds: float
    bare_seconds: float


async def measure_snapshot(stage: Stage) -> Snapshot:
    """Both over all members there are, in turns, undone each time."""
    sessions = stage.container.sessions
    async with sessions.begin() as session:
        for statement in _TABLE:
            await session.execute(text(statement))
    ours, bare = [], []
    for _ in range(_RUNS):
        async with sessions() as session:
            bare.append(await _timed_bare(session))
            await session.rollback()
        async with sessions() as session:
            ours.append(await _timed(session))
            await session.rollback()
    return Snapshot(min(ours), min(bare))


async def _timed(session: AsyncSession) -> float:
    begun = monotonic()
    await deliveries.start_broadcast(session, "bench", 1, select(profiles.c.member_id))
    return monotonic() - begun


async def _timed_bare(session: AsyncSession) -> float:
    begun = monotonic()
    await session.execute(_BARE)
    return monotonic() - begun
