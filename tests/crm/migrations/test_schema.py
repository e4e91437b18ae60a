"""One head, up-down-up works, and models and migrations agree."""

from alembic import command
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from crm.db.session import make_engine
from runtime.migrate import alembic_config
from tests.conftest import TEMPLATE, Servers


def test_there_is_one_head() -> None:
    assert len(ScriptDirectory.from_config(alembic_config()).get_heads()) == 1


async def test_models_and_migrations_agree(rolled_back_engine: AsyncEngine) -> None:
    def check(connection: Connection) -> None:
        command.check(alembic_config(connection))

    async with rolled_back_engine.connect() as connection:
        await connection.run_sync(check)


async def test_down_and_up_again(servers: Servers) -> None:
    def down_and_up(connection: Connection) -> None:
        config = alembic_config(connection)
        command.downgrade(config, "base")
        left = connection.scalar(
            text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'")
        )
        assert left == 0
        command.upgrade(config, "head")
        assert MigrationContext.configure(connection).get_current_heads()

    admin = make_engine(servers.postgres_url)
    async with admin.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text(f"CREATE DATABASE down_and_up TEMPLATE {TEMPLATE}"))
    await admin.dispose()
    engine = make_engine(servers.database("down_and_up"))
    async with engine.connect() as connection:
        await connection.run_sync(down_and_up)
        await connection.commit()
    await engine.dispose()
