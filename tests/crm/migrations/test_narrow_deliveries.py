"""Deliveries of before keep their ids, keys, results and states when they move to the narrow tables, and back."""

from alembic import command
from sqlalchemy import Connection, text

from crm.db.session import make_engine
from runtime.migrate import alembic_config
from tests.conftest import TEMPLATE, Servers

NAME = "narrow_deliveries"
OLD = (
    """INSERT INTO delivery_sources (id, source_kind, source_id, source_month, topic, message_class, not_before)
       VALUES (7, 'campaign', '12', '2026-03-01', 'news', 'marketing', siyu_now())""",
    """INSERT INTO delivery_chunks (id, broadcast_id, part, size, first_member_id, last_member_id, not_before, fence)
       VALUES (70, 7, 0, 3, 1, 3, siyu_now(), 1)""",
    """INSERT INTO deliveries (source_kind, source_id, member_id, step, source_month, id, chunk_id)
       SELECT 'campaign', '12', n, 0, '2026-03-01', md5(n::text)::uuid, 70 FROM generate_series(1, 3) n""",
    """INSERT INTO deliveries (source_kind, source_id, member_id, step, source_month, id)
       VALUES ('update', '019c-odd', 2, 1, '2026-02-01', md5('reply')::uuid)""",
    """INSERT INTO delivery_results (delivery_id, chunk_id, identity_id, source_month, fence, outcome, provider_ref)
       VALUES (md5('1')::uuid, 70, 11, '2026-03-01', 1, 'sent', '501'),
              (md5('reply')::uuid, 0, 12, '2026-02-01', 1, 'sent', '502')""",
)
NEW = """INSERT INTO delivery_sent_groups (chunk_id, source_month, fence, delivery_ids, identity_ids, provider_refs)
    VALUES (70, '2026-03-01', 1, ARRAY[md5('2')::uuid], ARRAY[12], ARRAY['503'])"""
SEEN = text(
    "SELECT source_kind, source_id, member_id, step, state, provider_ref FROM delivery_states ORDER BY 1, 2, member_id"
)


def _states(connection: Connection) -> list[tuple[object, ...]]:
    return [tuple(row) for row in connection.execute(SEEN)]


async def test_rows_move_there_and_back(servers: Servers) -> None:
    reply = ("update", "019c-odd", 2, 1, "sent", "502")

    def there_and_back(connection: Connection) -> None:
        config = alembic_config(connection)
        command.downgrade(config, "r0022")
        for statement in OLD:
            connection.execute(text(statement))
        open_ones = [("campaign", "12", member, 0, "queued", None) for member in (2, 3)]
        before = [("campaign", "12", 1, 0, "sent", "501"), *open_ones, reply]
        assert _states(connection) == before
        command.upgrade(config, "r0023")
        assert _states(connection) == before
        in_months = "SELECT count(*) FROM bulk_deliveries_202603"
        assert connection.scalar(text(in_months)) == 3
        connection.execute(text(NEW))
        after = [before[0], ("campaign", "12", 2, 0, "sent", "503"), *before[2:]]
        assert _states(connection) == after
        command.downgrade(config, "r0022")
        assert _states(connection) == after

    admin = make_engine(servers.postgres_url)
    async with admin.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text(f"CREATE DATABASE {NAME} TEMPLATE {TEMPLATE}"))
    await admin.dispose()
    engine = make_engine(servers.database(NAME))
    async with engine.connect() as connection:
        await connection.run_sync(there_and_back)
        await connection.commit()
    await engine.dispose()
