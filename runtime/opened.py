"""The container for a command that runs beside, or without, a running Siyu."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from runtime.container import Container, open_container
from runtime.logs import set_up_logs
from runtime.schema import check_schema
from runtime.servers import any_servers
from runtime.settled import read_settings


@asynccontextmanager
async def opened(command: str) -> AsyncIterator[Container]:
    """Settings read, servers found or started, schema checked, everything closed in the end."""
    settings = read_settings()
    set_up_logs(settings.log)
    async with any_servers(settings) as servers, open_container(settings, servers, application=command) as container:
        await check_schema(servers.database_url)
        yield container
