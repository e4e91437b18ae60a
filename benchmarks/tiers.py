"""Tiers: evaluating everybody when two in a hundred differ, beside one hand-written statement over the same tables.

By hand is the whole in one transaction: sums of the orders, tiers, and the same rows written for those who differ.
"""

from decimal import Decimal

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from benchmarks.members import add_bot, add_members
from benchmarks.results import Result
from benchmarks.sizes import LARGE
from benchmarks.stage import Stage
from crm.db.session import Sessions
from crm.kit.clock import monotonic
from crm.tiers.service import programmes, runs
from crm.tiers.types import Measure, Programme, Rules, RunKind, Tier, Window

FIRST = 6_000_001
DIFFERING = 50
"""Every so manieth member differs."""
_NAME = {"en": "Tier"}
RULES = Rules(
    measure=Measure.SPEND,
    window=Window.ROLLING,
    months=12,
    tiers=[
        Tier("silver", _NAME, Decimal(200), Decimal(160)),
        Tier("gold", _NAME, Decimal(500), Decimal(400), Decimal("1.5")),
        Tier("black", _NAME, Decimal(2000), Decimal(1600), Decimal(2)),
    ],
)
_ORDERS = """
INSERT INTO orders (id, placed_at, member_id, external_id, source, amount, currency, status)
SELECT m * 10 + o, siyu_now() - make_interval(days => ((m * 7 + o * 113) % 300)::int), m, 'bench', 'bench',
       20 + (m * 31 + o * 17) % 180, 'CNY', 'paid'
FROM generate_series(CAST(:first AS bigint), :last) m, generate_series(1, 3) o
"""
_MORE = """
INSERT INTO orders (id, placed_at, member_id, external_id, source, amount, currency, status)
SELECT m * 10 + 9, siyu_now(), m, 'bench', 'bench', 5000, 'CNY', 'paid'
FROM generate_series(CAST(:first AS bigint), :last, :step) m
"""
_BY_HAND = """
WITH totals AS (
    SELECT member_id, sum(amount) AS spent FROM orders
    WHERE status = 'paid' AND placed_at >= siyu_now() - interval '12 months' GROUP BY member_id
), decided AS (
    SELECT p.member_id, p.tier AS old, coalesce(t.spent, 0) AS spent, s.since,
           CASE WHEN t.spent >= 2000 OR (t.spent >= 1600 AND p.tier = 'black') THEN 'black'
                WHEN t.spent >= 500 OR (t.spent >= 400 AND p.tier = 'gold') THEN 'gold'
                WHEN t.spent >= 200 OR (t.spent >= 160 AND p.tier = 'silver') THEN 'silver' END AS tier
    FROM profiles p LEFT JOIN totals t ON t.member_id = p.member_id
    LEFT JOIN tier_standings s ON s.member_id = p.member_id
    WHERE p.is_active
), changed AS (
    SELECT * FROM decided WHERE tier IS DISTINCT FROM old
), standings AS (
    INSERT INTO tier_standings AS s (member_id, tier, earned, since)
    SELECT member_id, tier, tier, siyu_now() FROM changed
    ON CONFLICT (member_id) DO UPDATE SET tier = excluded.tier, earned = excluded.earned, since = excluded.since
), closed AS (
    UPDATE tier_history h SET ended_at = siyu_now() FROM changed c
    WHERE h.member_id = c.member_id AND h.started_at = c.since
), opened AS (
    INSERT INTO tier_history (member_id, started_at, tier, reason, measure, value, version, by)
    SELECT member_id, siyu_now(), tier, 'reached', 'spend', spent, 1, 'hand' FROM changed
), told AS (
    INSERT INTO events (id, occurred_at, kind, member_id, source, data)
    SELECT gen_random_uuid(), siyu_now(), 'tier_changed', member_id, 'hand',
           jsonb_build_object('from_tier', old, 'to_tier', tier, 'value', spent) FROM changed
)
UPDATE profiles p SET tier = c.tier, multiplier = CASE c.tier WHEN 'black' THEN 2 WHEN 'gold' THEN 1.5 ELSE 1 END
FROM changed c WHERE p.member_id = c.member_id
"""


async def measure(stage: Stage) -> Result:
    """Members evaluated a second."""
    sessions = stage.container.sessions
    bot_id = await add_bot(stage.container, "http://127.0.0.1:9")
    last = FIRST + LARGE - 1
    await add_members(stage.container, bot_id, FIRST, last)
    await _write(sessions, "SELECT siyu_make_partitions('orders', (siyu_now() - interval '10 months')::date, 10)")
    await _write(sessions, _ORDERS, first=FIRST, last=last)
    await _settle(sessions)
    async with sessions.begin() as session:
        live = await programmes.publish(session, (await programmes.save_draft(session, RULES, by="bench")).version)
    first_time = await _evaluate(sessions, live)
    await _write(sessions, _MORE, first=FIRST, last=last, step=DIFFERING)
    await _settle(sessions)
    by_hand = min([await _by_hand(stage) for _ in range(2)])
    by_service = await _evaluate(sessions, live, RunKind.DAILY)
    print(
        f"{LARGE:,} members: {by_service:.1f} s, {by_hand:.1f} s by hand; {first_time:.1f} s when nearly all differ.",
        flush=True,
    )
    return Result(
        f"evaluation of {LARGE:,} members' tiers / hand-written SQL",
        "members/s",
        LARGE / by_service,
        LARGE / by_hand,
        0.67,
    )


async def _evaluate(sessions: Sessions, live: Programme, kind: RunKind | None = None) -> float:
    """Seconds of one evaluation, one range after the other, each in its transaction."""
    if kind is not None:
        async with sessions.begin() as session:
            await runs.start(session, live.version, kind)
    begun = monotonic()
    while True:
        async with sessions.begin() as session:
            if not await runs.step(session):
                break
    took = monotonic() - begun
    async with sessions() as session:
        run = (await runs.recent(session))[0]
    assert run.finished_at is not None
    assert kind is None or (run.up, run.down) == (LARGE // DIFFERING, 0), run
    return took


async def _by_hand(stage: Stage) -> float:
    """Seconds of the same by hand; undone, so that it can be done again."""
    connection = await asyncpg.connect(stage.postgres_url)
    try:
        transaction = connection.transaction()
        await transaction.start()
        begun = monotonic()
        done = await connection.execute(_BY_HAND)
        took = monotonic() - begun
        await transaction.rollback()
        assert done == f"UPDATE {LARGE // DIFFERING}", done
    finally:
        await connection.close()
    return took


async def _write(sessions: Sessions, statement: str, **values: int) -> None:
    async with sessions.begin() as session:
        await session.execute(text(statement), values)


async def _settle(sessions: Sessions) -> None:
    engine = sessions.kw["bind"]
    assert isinstance(engine, AsyncEngine)
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text("VACUUM (ANALYZE) orders, profiles, tier_standings, tier_history"))
