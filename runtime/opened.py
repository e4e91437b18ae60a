"""The container for a command that runs beside, or without, a running Siyu."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from runtime.container import Container, open_container
from runtime.failures import StartProblem, read_settings
from runtime.logs import set_up_logs
from runtime.servers import any_servers


@asynccontextmanager
async def opened(command: str) -> AsyncIterator[Container]:
    """Settings read, servers found or started, schema checked, everything closed in the end."""
    settings = read_settings()
    set_up_logs(settings.log)
    async with any_servers(settings) as servers, open_container(settings, servers, application=command) as container:
        await _check_schema(servers.database_url)
        yield container


async def _check_schema(url: str) -> None:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        there = await connection.fetchval("SELECT to_regclass('alembic_version')")
    finally:
        await connection.close()
    if there is None:
        raise StartProblem("The database is empty; run siyu migrate first.")
