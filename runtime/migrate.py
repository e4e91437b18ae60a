"""Brings the database's schema to this version."""

from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

import crm.migrations
from crm.db.session import async_url
from runtime.queue import install_queue

MIGRATION_LOCK = 0x5159_0000


def alembic_config(connection: Connection | None = None) -> Config:
    """Alembic's configuration for our versions, over `connection` when one is given."""
    config = Config()
    config.set_main_option("script_location", str(Path(crm.migrations.__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection, revision: str) -> None:
    command.upgrade(alembic_config(connection), revision)


async def migrate(url: str, revision: str = "head") -> None:
    """Upgrade to `revision` and make the job queue's schema; safe to call from several processes at once."""
    guard = await asyncpg.connect(url)
    try:
        await guard.execute("SELECT pg_advisory_lock($1)", MIGRATION_LOCK)
        engine = create_async_engine(async_url(url))
        async with engine.connect() as connection:
            await connection.run_sync(_upgrade, revision)
            await connection.commit()
        await engine.dispose()
        await install_queue(guard)
    finally:
        await guard.close()
