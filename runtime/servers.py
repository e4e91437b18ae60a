"""Where PostgreSQL and Valkey are: given by address, run by another Siyu of this folder, or started here."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from crm.config.settings import Settings
from runtime.embedded.postgres import find_running_postgres, start_postgres
from runtime.embedded.valkey import find_running_valkey, start_valkey
from runtime.endpoints import Servers


@asynccontextmanager
async def own_servers(settings: Settings) -> AsyncIterator[Servers]:
    """For `siyu up`: what has no address is started here and stopped in the end."""
    async with AsyncExitStack() as stack:
        database, valkey = _given(settings)
        if database is None:
            database = (await stack.enter_async_context(await start_postgres(settings.data.dir))).url
        if valkey is None:
            valkey = (await stack.enter_async_context(await start_valkey(settings.data.dir))).url
        yield Servers(database, valkey)


@asynccontextmanager
async def any_servers(settings: Settings) -> AsyncIterator[Servers]:
    """For every other command: beside a running Siyu it uses that one's servers, else it starts them for itself."""
    async with AsyncExitStack() as stack:
        database, valkey = _given(settings)
        if database is None:
            found = find_running_postgres(settings.data.dir)
            started = None if found else await stack.enter_async_context(await start_postgres(settings.data.dir))
            database = (found or started).url  # type: ignore[union-attr]  # one of the two is there
        if valkey is None:
            running = find_running_valkey(settings.data.dir)
            begun = None if running else await stack.enter_async_context(await start_valkey(settings.data.dir))
            valkey = (running or begun).url  # type: ignore[union-attr]  # one of the two is there
        yield Servers(database, valkey)


def _given(settings: Settings) -> tuple[str | None, str | None]:
    database, valkey = settings.database.url, settings.valkey.url
    return (
        None if database is None else database.get_secret_value(),
        None if valkey is None else valkey.get_secret_value(),
    )
