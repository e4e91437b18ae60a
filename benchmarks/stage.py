"""A Siyu on throw-away servers with durable commits, as in production."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from crm.config.settings import Settings
from runtime.container import Container, open_container
from runtime.defaults import ensure_defaults
from runtime.embedded.postgres import start_postgres
from runtime.embedded.valkey import start_valkey
from runtime.endpoints import Servers
from runtime.migrate import migrate


@dataclass(frozen=True)
class Stage:
    """Where a benchmark plays."""

    container: Container
    postgres_url: str
    valkey_url: str
    folder: Path
    """The data directory; another process that is to take part needs it."""


def settings_in(folder: Path) -> Settings:
    """Shipped settings over this data directory, with room for many at once."""
    base = Settings()
    database = base.database.model_copy(update={"interactive_pool_size": 40, "pool_size": 20})
    return base.model_copy(update={"data": base.data.model_copy(update={"dir": folder}), "database": database})


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    """Servers, schema, shipped defaults; gone without a trace afterwards."""
    with tempfile.TemporaryDirectory(prefix="siyu-bench-") as name:
        folder = Path(name)
        postgres = await start_postgres(folder)
        valkey = await start_valkey(folder)
        try:
            await migrate(postgres.url)
            settings = settings_in(folder)
            servers = Servers(postgres.url, valkey.url)
            async with open_container(settings, servers, application="bench") as container:
                await ensure_defaults(container)
                yield Stage(container, postgres.url, valkey.url, folder)
        finally:
            await valkey.destroy()
            await postgres.destroy()
