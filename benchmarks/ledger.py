"""The points ledger: awards and redemptions one by one, the expiry of very many lots, each beside bare statements.

Bare is what one would write by hand into a session of the driver: for single postings the database function alone,
without rules, events and checks; for the expiry the same rows in plain statements, without locks and chains.
"""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
from sqlalchemy import text

from benchmarks.members import add_bot, add_members
from benchmarks.results import Result
from benchmarks.stage import Stage
from crm.db.session import Sessions
from crm.events import service as events
from crm.events.catalogue import MemberSignedUp
from crm.kit.clock import monotonic
from crm.points import expiry, service

FIRST = 7_000_001
MEMBERS = 20_000
LOTS_EACH = 5
LOTS = MEMBERS * LOTS_EACH
CONCURRENT = 8
SECONDS = 6.0
_FILL = (
    """INSERT INTO point_accounts (member_id)
       SELECT generate_series(CAST(:first AS bigint), :last) ON CONFLICT DO NOTHING""",
    """SELECT siyu_post_set(array_agg(ROW(m, siyu_ledger_id(siyu_now()), 'earn', 'bench:' || m || ':' || l, 10, 0,
           'issuance', 'bench', siyu_now(), NULL, NULL)::siyu_line))
       FROM generate_series(CAST(:first AS bigint), :last) m, generate_series(1, :each) l""",
    """INSERT INTO point_lots (member_id, transaction_id, points, remaining, earned_at, expires_at)
       SELECT member_id, transaction_id, 10, 10, occurred_at, siyu_now() - interval '1 minute'
       FROM ledger_entries WHERE account = 'member' AND member_id BETWEEN CAST(:first AS bigint) AND :last""",
)
_BY_HAND = """
WITH due AS (
    SELECT l.id, l.member_id, l.remaining, l.expires_at, siyu_ledger_id(l.expires_at) AS transaction_id,
           a.last_sequence + row_number() OVER own AS sequence, a.balance - sum(l.remaining) OVER own AS balance
    FROM (SELECT * FROM point_lots WHERE remaining > 0 AND expires_at <= siyu_now() ORDER BY expires_at, id LIMIT $1) l
    JOIN point_accounts a ON a.member_id = l.member_id
    WINDOW own AS (PARTITION BY l.member_id ORDER BY l.expires_at, l.id)
), keys AS (
    INSERT INTO ledger_keys (key, transaction_id, occurred_at, amount)
    SELECT 'expire:' || id, transaction_id, expires_at, -remaining FROM due
), transactions AS (
    INSERT INTO ledger_transactions (id, occurred_at, kind, key, reason)
    SELECT transaction_id, expires_at, 'expire', 'expire:' || id, 'expired' FROM due
), entries AS (
    INSERT INTO ledger_entries
        (transaction_id, position, occurred_at, account, member_id, amount, sequence, balance_after, hash)
    SELECT transaction_id, 0, expires_at, 'member', member_id, -remaining, sequence, balance, ''::bytea FROM due
    UNION ALL
    SELECT transaction_id, 2, expires_at, 'expiry', NULL, remaining, NULL, NULL, NULL FROM due
), uses AS (
    INSERT INTO lot_uses (transaction_id, lot_id, occurred_at, amount)
    SELECT transaction_id, id, expires_at, remaining FROM due
), emptied AS (
    UPDATE point_lots SET remaining = 0 FROM due WHERE point_lots.id = due.id
), sums AS (
    SELECT member_id, sum(remaining) AS points, count(*) AS many FROM due GROUP BY member_id
), accounts AS (
    UPDATE point_accounts a SET balance = balance - points, last_sequence = last_sequence + many
    FROM sums WHERE a.member_id = sums.member_id
), shown AS (
    UPDATE profiles p SET points_balance = points_balance - points FROM sums WHERE p.member_id = sums.member_id
), told AS (
    INSERT INTO events (id, occurred_at, kind, member_id, source, data)
    SELECT siyu_ledger_id(siyu_now()), (SELECT siyu_now()), 'points_expired', member_id, 'hand',
           jsonb_build_object('points', remaining, 'transaction_id', transaction_id, 'balance', balance) FROM due
)
SELECT count(*) FROM due
"""
_EARN = "SELECT * FROM siyu_post_points($1, 'earn', $2, 100, 'issuance', 'bench', siyu_now())"
_SPEND = "SELECT * FROM siyu_post_points($1, 'redeem', $2, -1, 'redemption', 'bench', siyu_now())"


async def measure(stage: Stage) -> list[Result]:
    """Awards and redemptions a second, lots a second."""
    sessions = stage.container.sessions
    bot_id = await add_bot(stage.container, "http://127.0.0.1:9")
    await add_members(stage.container, bot_id, FIRST, FIRST + 3 * MEMBERS - 1)

    async def award(member_id: int, number: int) -> None:
        del number
        async with sessions.begin() as session:
            fact = MemberSignedUp(member_id=member_id, channel="telegram")
            await service.award(session, await events.publish(session, fact))

    async def redeem(member_id: int, number: int) -> None:
        async with sessions.begin() as session:
            await service.redeem(session, member_id, 1, reason="bench", key=f"spend:{number}")

    async with asyncpg.create_pool(stage.postgres_url, min_size=CONCURRENT, max_size=CONCURRENT) as pool:

        async def bare_earn(member_id: int, number: int) -> None:
            await pool.execute(_EARN, member_id, f"bare:{number}")

        async def bare_spend(member_id: int, number: int) -> None:
            await pool.execute(_SPEND, member_id, f"bare spend:{number}")

        rates = [await _rate(act) for act in (award, bare_earn, redeem, bare_spend)]
        await _sound(sessions)
        by_service = await _expire_by_service(sessions)
        await _sound(sessions)
        by_hand = await _expire_by_hand(sessions, pool)
    print(f"Expiry of {LOTS:,} lots: {by_service:.1f} s as a set, {by_hand:.1f} s by hand-written SQL.")
    return [
        Result("award at the service, with its event / bare posting", "awards/s", rates[0], rates[1], 0.25),
        Result("redemption at the service / bare posting", "redemptions/s", rates[2], rates[3], 0.25),
        Result(f"expiry of {LOTS:,} lots / hand-written SQL", "lots/s", LOTS / by_service, LOTS / by_hand, 0.7),
    ]


async def _rate(act: Callable[[int, int], Awaitable[None]]) -> float:
    """Acts a second of several at once, each on the next member."""
    done = 0
    begun = monotonic()

    async def work() -> None:
        nonlocal done
        while monotonic() - begun < SECONDS:
            done += 1
            await act(FIRST + done % MEMBERS, done)

    await asyncio.gather(*(work() for _ in range(CONCURRENT)))
    return done / (monotonic() - begun)


async def _fill(sessions: Sessions, first: int) -> None:
    """Members with lots that have run out; nothing is left to do for later."""
    values = {"first": first, "last": first + MEMBERS - 1, "each": LOTS_EACH}
    async with sessions.begin() as session:
        for statement in _FILL:
            named = {name: value for name, value in values.items() if f":{name}" in statement}
            await session.execute(text(statement), named)
    async with sessions() as session:
        connection = await session.connection(execution_options={"isolation_level": "AUTOCOMMIT"})
        await connection.execute(text("VACUUM (ANALYZE) point_lots, point_accounts, ledger_entries, ledger_keys"))


async def _expire_by_service(sessions: Sessions) -> float:
    await _fill(sessions, FIRST + MEMBERS)
    begun, total = monotonic(), 0
    while True:
        async with sessions.begin() as session:
            done = await expiry.expire(session)
        total += done
        if not done:
            break
    assert total == LOTS, total
    return monotonic() - begun


async def _expire_by_hand(sessions: Sessions, pool: asyncpg.Pool) -> float:
    await _fill(sessions, FIRST + 2 * MEMBERS)
    begun, total = monotonic(), 0
    while done := await pool.fetchval(_BY_HAND, expiry.AT_ONCE):
        total += done
    assert total == LOTS, total
    return monotonic() - begun


async def _sound(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        begun = monotonic()
        report = await service.verify(session)
    assert report.is_clean, report.problems
    print(f"The ledger of {report.entries:,} entries was verified in {monotonic() - begun:.1f} s.")
