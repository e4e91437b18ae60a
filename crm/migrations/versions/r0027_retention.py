"""Retention: rules that operators changed, and what drops old months and removes old rows."""

import sqlalchemy as sa
from alembic import op

revision = "r0027"
down_revision = "r0026"
branch_labels = None
depends_on = None

DROP = """
CREATE FUNCTION siyu_drop_partitions(parent text, before date) RETURNS int
LANGUAGE plpgsql SET timezone TO 'UTC' AS $$
DECLARE
    part record;
    dropped int := 0;
BEGIN
    FOR part IN
        SELECT c.oid::regclass AS name, to_date(right(c.relname, 6), 'YYYYMM') AS month
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = to_regclass(quote_ident(parent)) AND c.relname ~ '_[0-9]{6}$'
        ORDER BY 2
    LOOP
        IF (part.month + interval '1 month')::date <= before THEN
            EXECUTE format('DROP TABLE %s', part.name);
            dropped := dropped + 1;
        END IF;
    END LOOP;
    RETURN dropped;
END $$
"""
REMOVE = """
CREATE FUNCTION siyu_remove_rows(name text, field text, before timestamptz, most int) RETURNS int
LANGUAGE plpgsql SET timezone TO 'UTC' AS $$
DECLARE
    removed int;
BEGIN
    EXECUTE format(
        'DELETE FROM %1$I WHERE ctid = ANY(ARRAY(SELECT ctid FROM %1$I WHERE %2$I < $1 LIMIT $2))', name, field
    ) USING before, most;
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END $$
"""


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "retention_rules",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("days", sa.Integer, nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.execute(DROP)
    op.execute(REMOVE)


def downgrade() -> None:
    """Undo."""
    op.execute("DROP FUNCTION siyu_remove_rows(text, text, timestamptz, int)")
    op.execute("DROP FUNCTION siyu_drop_partitions(text, date)")
    op.drop_table("retention_rules")
