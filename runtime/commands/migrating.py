"""`siyu migrate`."""

from rich.console import Console

from runtime.container import open_container
from runtime.defaults import ensure_defaults
from runtime.logs import set_up_logs
from runtime.migrate import migrate
from runtime.servers import any_servers
from runtime.settled import read_settings

_OUT = Console(stderr=True, highlight=False)


async def run() -> int:
    """Bring the schema to this version and put in what every deployment starts with."""
    settings = read_settings()
    set_up_logs(settings.log)
    async with any_servers(settings) as servers:
        await migrate(servers.database_url)
        async with open_container(settings, servers, application="migrate") as container:
            await ensure_defaults(container)
    _OUT.print("The database is ready.")
    return 0
