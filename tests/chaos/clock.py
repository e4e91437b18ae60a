"""Moving the clock by which Siyu acts: the database's `siyu_now()`, in every process at once.

Leases do not follow it: they go by the clock of the database server.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import asyncpg

_SET = """
CREATE OR REPLACE FUNCTION siyu_now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(nullif(current_setting('siyu.now', true), '')::timestamptz, clock_timestamp() + interval '{} s')
$$
"""


async def move_clock(database_url: str, by: timedelta) -> None:
    """Let business time run `by` ahead of (or behind) the server's clock; zero puts it right."""
    connection = await asyncpg.connect(database_url)
    await connection.execute(_SET.format(by.total_seconds()))
    await connection.close()


@asynccontextmanager
async def clock_moved(database_url: str, by: timedelta) -> AsyncIterator[None]:
    """Business time is moved while the block runs."""
    await move_clock(database_url, by)
    try:
        yield
    finally:
        await move_clock(database_url, timedelta(0))
