"""Whether the database can be used at all, asked once before anything is built on it."""

import asyncpg

from runtime.failures import StartProblem

_PATIENCE = 10.0


async def check_schema(url: str) -> None:
    """Raises StartProblem for an empty database, and what keeps it from being reached."""
    connection = await asyncpg.connect(url, timeout=_PATIENCE)
    try:
        there = await connection.fetchval("SELECT to_regclass('alembic_version')")
    finally:
        await connection.close()
    if there is None:
        raise StartProblem("The database is empty; run siyu migrate first.")
