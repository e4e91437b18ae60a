"""Alembic's environment: async engine from `SIYU_DATABASE_URL` or from the connection handed in."""

import asyncio
import os

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.schema import SchemaItem

from crm.db.base import Base
from crm.db.session import async_url
from crm.kit.discovery import modules_named

LOCK_TIMEOUT = "SET lock_timeout = '2s'"
list(modules_named("crm", "models"))


def _is_ours(item: SchemaItem, name: str | None, kind: str, reflected: bool, compare_to: SchemaItem | None) -> bool:
    """Leave out what models do not declare: partitions and the job queue's own tables."""
    del item
    if kind == "table" and reflected and compare_to is None:
        return not (name or "").startswith("pgqueuer") and not _is_partition(name or "")
    return True


def _is_partition(name: str) -> bool:
    stem, _, suffix = name.rpartition("_")
    return bool(stem) and (suffix == "default" or suffix.isdigit()) and stem in Base.metadata.tables


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_object=_is_ours,
        compare_server_default=False,
        transaction_per_migration=True,
    )
    connection.execute(text(LOCK_TIMEOUT))
    connection.commit()
    with context.begin_transaction():
        context.run_migrations()


async def _connect_and_run(url: str) -> None:
    engine = create_async_engine(async_url(url))
    async with engine.connect() as connection:
        await connection.run_sync(_run)
    await engine.dispose()


given = context.config.attributes.get("connection")
if given is not None:
    _run(given)
else:
    asyncio.run(_connect_and_run(os.environ["SIYU_DATABASE_URL"]))
