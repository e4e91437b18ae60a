"""The business clock, append-only protection, and the making of partitions."""

from alembic import op

from crm.db.partitions import CREATE_FUNCTION

revision = "r0001"
down_revision = None
branch_labels = None
depends_on = None

NOW = """
CREATE OR REPLACE FUNCTION siyu_now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(nullif(current_setting('siyu.now', true), '')::timestamptz, clock_timestamp())
$$
"""
APPEND_ONLY = """
CREATE OR REPLACE FUNCTION siyu_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of % are never changed or removed', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""


def upgrade() -> None:
    """Apply."""
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gin")
    op.execute("CREATE EXTENSION IF NOT EXISTS intarray")
    op.execute(NOW)
    op.execute(APPEND_ONLY)
    op.execute(CREATE_FUNCTION)


def downgrade() -> None:
    """Undo."""
    op.execute("DROP FUNCTION siyu_make_partitions(text, date, int)")
    op.execute("DROP FUNCTION siyu_append_only()")
    op.execute("DROP FUNCTION siyu_now()")
