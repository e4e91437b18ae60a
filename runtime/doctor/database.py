"""PostgreSQL itself: version, rights, schema, clock, room for connections."""

import asyncpg

from admin_api.readiness import HEAD
from crm.config.settings import Settings
from crm.kit.clock import process_now

from .findings import Finding

_OLDEST = 150000
_MOST_SKEW = 5.0
_KINDS = 5
"""Processes of a deployment with one of each kind."""
_JOBS = 5
"""Connections of a process beside its two pools: jobs, listening."""


async def look(settings: Settings, url: str) -> list[Finding]:
    """Every check of the server. Raises what keeps it from being reached."""
    connection = await asyncpg.connect(url, timeout=10)
    try:
        return [
            await _version(connection),
            await _rights(connection),
            await _schema(connection),
            await _clock(connection),
            await _connections(connection, settings),
        ]
    finally:
        await connection.close()


async def _version(connection: asyncpg.Connection) -> Finding:
    version = int(await connection.fetchval("SHOW server_version_num"))
    return Finding("database", None if version >= _OLDEST else "PostgreSQL 15 or newer is needed; upgrade the server.")


async def _rights(connection: asyncpg.Connection) -> Finding:
    row = await connection.fetchrow(
        "SELECT current_user AS role, current_database() AS name, current_schema() AS schema,"
        " current_schema() IS NOT NULL AND has_schema_privilege(current_schema(), 'CREATE') AS may_make,"
        " (SELECT count(*) FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace"
        "  AND c.relkind IN ('r', 'p') AND NOT pg_has_role(c.relowner, 'USAGE')) AS foreign_tables"
    )
    if not row["may_make"]:
        return Finding("rights", f"The role {row['role']} may make no tables: make it the owner of {row['name']}.")
    if row["foreign_tables"]:
        text = (
            f"{row['foreign_tables']} tables belong to another role than {row['role']}: migrations and new months "
            f"would fail. Connect as their owner, or run REASSIGN OWNED."
        )
        return Finding("rights", text)
    return Finding("rights")


async def _schema(connection: asyncpg.Connection) -> Finding:
    there = await connection.fetchval("SELECT to_regclass('alembic_version')")
    version = await connection.fetchval("SELECT version_num FROM alembic_version") if there else None
    if version == HEAD:
        return Finding("schema")
    return Finding("schema", f"The schema is at {version}, this version needs {HEAD}: run siyu migrate.")


async def _clock(connection: asyncpg.Connection) -> Finding:
    before = process_now()
    there = await connection.fetchval("SELECT clock_timestamp()")
    after = process_now()
    skew = max((before - there).total_seconds(), (there - after).total_seconds())
    if skew <= _MOST_SKEW:
        return Finding("clock")
    text = f"The clocks of this machine and of PostgreSQL are {skew:.0f} s apart: let both follow a time server."
    return Finding("clock", text, is_fatal=False)


async def _connections(connection: asyncpg.Connection, settings: Settings) -> Finding:
    row = await connection.fetchrow(
        "SELECT current_setting('max_connections')::int"
        " - current_setting('superuser_reserved_connections')::int AS room"
    )
    beats = await connection.fetchval("SELECT to_regclass('process_beats')")
    running = await connection.fetchval("SELECT count(*) FROM process_beats") if beats else 0
    processes = max(running, 1 if settings.database.url is None else _KINDS)
    needed = processes * (settings.database.pool_size + settings.database.interactive_pool_size + _JOBS)
    if needed <= row["room"]:
        return Finding("connections")
    text = (
        f"{processes} processes may take {needed} connections, PostgreSQL gives {row['room']}: raise max_connections, "
        "or lower SIYU_DATABASE_POOL_SIZE and SIYU_DATABASE_INTERACTIVE_POOL_SIZE."
    )
    return Finding("connections", text, is_fatal=False)
