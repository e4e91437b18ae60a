"""A check-in as one PL/pgSQL function on plain tables: the reference that all check-ins are measured against.

Lock, unique day, balance, ledger, event, and nothing else: no hash chain, no partitions, no seal, no transcript.
"""

from sqlalchemy import text

from benchmarks.pgbench import run_pgbench
from benchmarks.stage import Stage

SECONDS = 6
_TABLES = (
    "CREATE TABLE bench_days (member_id bigint, day date, PRIMARY KEY (member_id, day))",
    "CREATE TABLE bench_balances (member_id bigint PRIMARY KEY, balance bigint NOT NULL, streak int NOT NULL)",
    """CREATE TABLE bench_ledger (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, member_id bigint NOT NULL,
       key text NOT NULL UNIQUE, amount bigint NOT NULL, balance bigint NOT NULL, at timestamptz NOT NULL)""",
    """CREATE TABLE bench_events (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, member_id bigint NOT NULL,
       kind text NOT NULL, at timestamptz NOT NULL, data jsonb NOT NULL)""",
    """CREATE FUNCTION bench_check_in(p_member bigint) RETURNS bigint LANGUAGE plpgsql AS $$
       DECLARE
           held bigint;
       BEGIN
           PERFORM pg_advisory_xact_lock(p_member);
           INSERT INTO bench_days VALUES (p_member, current_date) ON CONFLICT DO NOTHING;
           IF NOT FOUND THEN
               RETURN NULL;
           END IF;
           INSERT INTO bench_balances AS b VALUES (p_member, 10, 1)
           ON CONFLICT (member_id) DO UPDATE SET balance = b.balance + 10, streak = b.streak + 1
           RETURNING balance INTO held;
           INSERT INTO bench_ledger (member_id, key, amount, balance, at)
           VALUES (p_member, 'check_in:' || p_member || ':' || current_date, 10, held, now());
           INSERT INTO bench_events (member_id, kind, at, data)
           VALUES (p_member, 'checked_in', now(), jsonb_build_object('points', 10, 'balance', held));
           RETURN held;
       END $$""",
)
_SCRIPT = r"""\set member random(1, 1000000000000)
SELECT bench_check_in(:member);
"""


async def measure_bare(stage: Stage, *, clients: int) -> float:
    """Check-ins a second by the function, driven by pgbench."""
    async with stage.container.sessions.begin() as session:
        if (await session.execute(text("SELECT to_regclass('bench_days')"))).scalar_one() is None:
            for statement in _TABLES:
                await session.execute(text(statement))
    return await run_pgbench(stage.postgres_url, _SCRIPT, clients=clients, seconds=SECONDS)
