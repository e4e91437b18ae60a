"""Bulk deliveries under a numeric key, replies apart from them, and what groups sent in one row per group.

A delivery of a broadcast named its source by two texts, in its row and in its key, and each message that was sent
had a row of its own: 363 bytes of log per delivery, now about 240.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from crm.db.partitions import attach_partitions

revision = "r0023"
down_revision = "r0022"
branch_labels = None
depends_on = None

BY_MONTH = "RANGE (source_month)"
TIME = sa.DateTime(timezone=True)
MONTHS = """
SELECT siyu_make_partitions(:parent, min(source_month),
    greatest(0, (extract(year FROM age(siyu_now(), min(source_month))) * 12
        + extract(month FROM age(siyu_now(), min(source_month))))::int))
FROM deliveries HAVING count(*) > 0
"""
COPY_BULK = """
INSERT INTO bulk_deliveries (broadcast_id, member_id, id, chunk_id, source_month, step)
SELECT c.broadcast_id, d.member_id, d.id, d.chunk_id, d.source_month, d.step
FROM deliveries d JOIN delivery_chunks c ON c.id = d.chunk_id
"""
COPY_REPLIES = """
INSERT INTO interactive_deliveries (source_kind, source_id, member_id, step, source_month, id)
SELECT source_kind, source_id, member_id, step, source_month, id FROM deliveries WHERE chunk_id = 0
"""
COPY_BACK = """
INSERT INTO deliveries (source_kind, source_id, member_id, step, source_month, id, chunk_id)
SELECT s.source_kind, s.source_id, d.member_id, d.step, d.source_month, d.id, d.chunk_id
FROM bulk_deliveries d JOIN delivery_sources s ON s.id = d.broadcast_id
UNION ALL SELECT source_kind, source_id, member_id, step, source_month, id, 0 FROM interactive_deliveries
"""
RESULTS_BACK = """
INSERT INTO delivery_results (delivery_id, chunk_id, identity_id, at, source_month, fence, outcome, provider_ref)
SELECT delivery_id, chunk_id, identity_id, at, source_month, fence, outcome, provider_ref FROM delivery_lines
WHERE is_of_group
"""
LINES = """
CREATE VIEW delivery_lines AS
SELECT source_month, chunk_id, delivery_id, identity_id, fence, outcome, reason, detail, provider_ref, not_before, at,
    false AS is_of_group
FROM delivery_results
UNION ALL
SELECT g.source_month, g.chunk_id, o.delivery_id, o.identity_id, g.fence, 'sent', NULL::text, NULL::text,
    o.provider_ref, NULL::timestamptz, g.at, true
FROM delivery_sent_groups g
CROSS JOIN LATERAL unnest(g.delivery_ids, g.identity_ids, g.provider_refs)
    AS o(delivery_id, identity_id, provider_ref)
"""
LATEST = """
CREATE VIEW delivery_latest AS
SELECT DISTINCT ON (source_month, chunk_id, delivery_id)
    source_month, chunk_id, delivery_id, identity_id, fence, outcome, reason, detail, provider_ref, not_before, at,
    count(*) FILTER (WHERE outcome = 'retry') OVER one AS tries,
    count(*) FILTER (WHERE outcome = 'repeat') OVER one AS doubts
FROM {lines}
WINDOW one AS (PARTITION BY source_month, chunk_id, delivery_id)
ORDER BY source_month, chunk_id, delivery_id, fence DESC, (outcome = 'delivered') DESC
"""
_RESULT = """
    r.identity_id, r.reason, r.detail, r.provider_ref, r.at,
    CASE WHEN r.outcome IN ('deferred', 'retry', 'repeat') THEN r.not_before END AS not_before,
    coalesce(r.tries + r.doubts, 0)
        + CASE WHEN r.outcome IN ('sent', 'delivered', 'failed', 'uncertain') THEN 1 ELSE 0 END AS attempts,
    CASE
        WHEN r.outcome IN ('sent', 'delivered', 'failed', 'suppressed', 'uncertain') THEN r.outcome
"""
_OPEN_REPLY = """
            WHEN p.delivery_id IS NULL THEN 'cancelled'
            WHEN p.lease_until IS NULL THEN 'queued'
            WHEN p.lease_until > clock_timestamp() THEN 'sending'
            ELSE 'uncertain' END
"""
# An intent without a result is being sent while its lease lives; when the lease ran out, nobody knows.
_OPEN_BULK = """
        WHEN i.delivery_id IS NOT NULL AND coalesce(r.fence, -1) < c.fence THEN
            CASE WHEN c.lease_until > clock_timestamp() THEN 'sending' ELSE 'uncertain' END
        WHEN s.status = 'cancelled' THEN 'cancelled'
        WHEN c.lease_until > clock_timestamp() AND coalesce(r.fence, -1) < c.fence THEN 'claimed'
        ELSE 'queued'
    END AS state
"""
_JOINED_RESULTS = """
LEFT JOIN delivery_latest r
    ON r.source_month = d.source_month AND r.chunk_id = d.chunk_id AND r.delivery_id = d.id
LEFT JOIN (
    SELECT n.source_month, n.chunk_id, n.fence, unnest(n.delivery_ids) AS delivery_id FROM delivery_intents n
    JOIN delivery_chunks o ON o.id = n.chunk_id AND o.fence = n.fence AND o.lease_until IS NOT NULL
) i ON i.source_month = d.source_month AND i.chunk_id = d.chunk_id AND i.delivery_id = d.id
"""
STATES = f"""
CREATE VIEW delivery_states AS
SELECT d.id AS delivery_id, s.source_kind, s.source_id, d.source_month, d.member_id, d.step, d.chunk_id,
{_RESULT}{_OPEN_BULK}
FROM delivery_chunks c
JOIN delivery_sources s ON s.id = c.broadcast_id
JOIN bulk_deliveries d ON d.broadcast_id = c.broadcast_id AND d.source_month = s.source_month AND d.chunk_id = c.id
    AND d.member_id BETWEEN c.first_member_id AND c.last_member_id
{_JOINED_RESULTS}
UNION ALL
SELECT d.id, d.source_kind, d.source_id, d.source_month, d.member_id, d.step, 0::bigint,
{_RESULT} ELSE CASE {_OPEN_REPLY}
    END AS state
FROM interactive_deliveries d
LEFT JOIN delivery_latest r ON r.source_month = d.source_month AND r.chunk_id = 0 AND r.delivery_id = d.id
LEFT JOIN delivery_replies p ON p.delivery_id = d.id
"""  # noqa: S608 - constants of this module
OLD_STATES = f"""
CREATE VIEW delivery_states AS
SELECT d.id AS delivery_id, d.source_kind, d.source_id, d.source_month, d.member_id, d.step, d.chunk_id,
{_RESULT} WHEN d.chunk_id = 0 THEN CASE {_OPEN_REPLY}{_OPEN_BULK}
FROM deliveries d
LEFT JOIN delivery_chunks c ON c.id = d.chunk_id
LEFT JOIN delivery_sources s ON s.id = c.broadcast_id
{_JOINED_RESULTS}
LEFT JOIN delivery_replies p ON p.delivery_id = d.id AND d.chunk_id = 0
"""  # noqa: S608 - constants of this module


def upgrade() -> None:
    """Apply."""
    op.execute("DROP VIEW delivery_states, delivery_latest")
    _make_tables()
    for table, copy in (("bulk_deliveries", COPY_BULK), ("interactive_deliveries", COPY_REPLIES)):
        attach_partitions(op.get_bind(), table)
        op.get_bind().execute(sa.text(MONTHS), {"parent": table})
        op.execute(copy)
    attach_partitions(op.get_bind(), "delivery_sent_groups")
    op.drop_table("deliveries")
    op.execute(LINES)
    op.execute(LATEST.format(lines="delivery_lines"))
    op.execute(STATES)


def _make_tables() -> None:
    op.create_table(
        "bulk_deliveries",
        sa.Column("broadcast_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("member_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("chunk_id", sa.BigInteger, nullable=False),
        sa.Column("source_month", sa.Date, primary_key=True),
        sa.Column("step", sa.SmallInteger, primary_key=True, autoincrement=False, server_default="0"),
        sa.PrimaryKeyConstraint("broadcast_id", "member_id", "step", "source_month", name="pk_bulk_deliveries"),
        postgresql_partition_by=BY_MONTH,
    )
    op.create_table(
        "interactive_deliveries",
        sa.Column("source_kind", sa.Text, primary_key=True),
        sa.Column("source_id", sa.Text, primary_key=True),
        sa.Column("member_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("step", sa.SmallInteger, primary_key=True, autoincrement=False, server_default="0"),
        sa.Column("source_month", sa.Date, primary_key=True),
        sa.Column("id", sa.Uuid, nullable=False),
        postgresql_partition_by=BY_MONTH,
    )
    op.create_index("ix_interactive_deliveries_id", "interactive_deliveries", ["id"])
    op.create_table(
        "delivery_sent_groups",
        sa.Column("chunk_id", sa.BigInteger, nullable=False),
        sa.Column("at", TIME, nullable=False, server_default=sa.func.siyu_now()),
        sa.Column("source_month", sa.Date, nullable=False),
        sa.Column("fence", sa.Integer, nullable=False),
        sa.Column("delivery_ids", ARRAY(sa.Uuid), nullable=False),
        sa.Column("identity_ids", ARRAY(sa.BigInteger), nullable=False),
        sa.Column("provider_refs", ARRAY(sa.Text), nullable=False),
        postgresql_partition_by=BY_MONTH,
    )
    op.create_index("ix_delivery_sent_groups_chunk_id", "delivery_sent_groups", ["chunk_id"])
    op.execute(
        "CREATE TRIGGER delivery_sent_groups_append_only BEFORE UPDATE ON delivery_sent_groups"
        " FOR EACH ROW EXECUTE FUNCTION siyu_append_only()"
    )


def downgrade() -> None:
    """Undo."""
    op.create_table(
        "deliveries",
        sa.Column("source_kind", sa.Text, primary_key=True),
        sa.Column("source_id", sa.Text, primary_key=True),
        sa.Column("member_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("step", sa.SmallInteger, primary_key=True, autoincrement=False, server_default="0"),
        sa.Column("source_month", sa.Date, primary_key=True),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("chunk_id", sa.BigInteger, nullable=False, server_default="0"),
        postgresql_partition_by=BY_MONTH,
    )
    op.create_index("ix_deliveries_id", "deliveries", ["id"], postgresql_where=sa.text("chunk_id = 0"))
    attach_partitions(op.get_bind(), "deliveries")
    op.execute(COPY_BACK)
    op.execute(RESULTS_BACK)
    op.execute("DROP VIEW delivery_states, delivery_latest, delivery_lines")
    for table in ("delivery_sent_groups", "interactive_deliveries", "bulk_deliveries"):
        op.drop_table(table)
    op.execute(LATEST.format(lines="delivery_results"))
    op.execute(OLD_STATES)
