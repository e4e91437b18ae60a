"""Tables of deliveries, and the view that derives their states."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from crm.db.partitions import attach_partitions

revision = "r0014"
down_revision = "r0013"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
BY_MONTH = "RANGE (source_month)"
NOW = sa.func.siyu_now()

UUID7 = """
CREATE FUNCTION siyu_uuid7(at timestamptz) RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
    SELECT encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
        PLACING substring(int8send((extract(epoch FROM at) * 1000)::bigint) FROM 3) FROM 1 FOR 6), 52, 1), 53, 1),
        'hex')::uuid
$$
"""
LATEST = """
CREATE VIEW delivery_latest AS
SELECT DISTINCT ON (source_month, chunk_id, delivery_id)
    source_month, chunk_id, delivery_id, identity_id, fence, outcome, reason, detail, provider_ref, not_before, at,
    count(*) FILTER (WHERE outcome = 'retry') OVER one AS tries,
    count(*) FILTER (WHERE outcome = 'repeat') OVER one AS doubts
FROM delivery_results
WINDOW one AS (PARTITION BY source_month, chunk_id, delivery_id)
ORDER BY source_month, chunk_id, delivery_id, fence DESC, (outcome = 'delivered') DESC
"""
# An intent without a result is being sent while its lease lives; when the lease ran out, nobody knows.
STATES = """
CREATE VIEW delivery_states AS
SELECT d.id AS delivery_id, d.source_kind, d.source_id, d.source_month, d.member_id, d.step, d.chunk_id,
    r.identity_id, r.reason, r.detail, r.provider_ref, r.at,
    CASE WHEN r.outcome IN ('deferred', 'retry', 'repeat') THEN r.not_before END AS not_before,
    coalesce(r.tries + r.doubts, 0)
        + CASE WHEN r.outcome IN ('sent', 'delivered', 'failed', 'uncertain') THEN 1 ELSE 0 END AS attempts,
    CASE
        WHEN r.outcome IN ('sent', 'delivered', 'failed', 'suppressed', 'uncertain') THEN r.outcome
        WHEN d.chunk_id = 0 THEN CASE
            WHEN p.delivery_id IS NULL THEN 'cancelled'
            WHEN p.lease_until IS NULL THEN 'queued'
            WHEN p.lease_until > clock_timestamp() THEN 'sending'
            ELSE 'uncertain' END
        WHEN i.delivery_id IS NOT NULL AND coalesce(r.fence, -1) < c.fence THEN
            CASE WHEN c.lease_until > clock_timestamp() THEN 'sending' ELSE 'uncertain' END
        WHEN s.status = 'cancelled' THEN 'cancelled'
        WHEN c.lease_until > clock_timestamp() AND coalesce(r.fence, -1) < c.fence THEN 'claimed'
        ELSE 'queued'
    END AS state
FROM deliveries d
LEFT JOIN delivery_chunks c ON c.id = d.chunk_id
LEFT JOIN delivery_sources s ON s.id = c.broadcast_id
LEFT JOIN delivery_latest r
    ON r.source_month = d.source_month AND r.chunk_id = d.chunk_id AND r.delivery_id = d.id
LEFT JOIN (
    SELECT n.source_month, n.chunk_id, n.fence, unnest(n.delivery_ids) AS delivery_id FROM delivery_intents n
    JOIN delivery_chunks o ON o.id = n.chunk_id AND o.fence = n.fence AND o.lease_until IS NOT NULL
) i ON i.source_month = d.source_month AND i.chunk_id = d.chunk_id AND i.delivery_id = d.id
LEFT JOIN delivery_replies p ON p.delivery_id = d.id AND d.chunk_id = 0
"""


def upgrade() -> None:
    """Apply."""
    op.execute(UUID7)
    _make_sources_and_chunks()
    _make_partitioned()
    _make_small_ones()
    op.execute(LATEST)
    op.execute(STATES)


def _make_sources_and_chunks() -> None:
    op.create_table(
        "delivery_sources",
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), primary_key=True),
        sa.Column("source_kind", sa.Text, nullable=False),
        sa.Column("source_id", sa.Text, nullable=False),
        sa.Column("source_month", sa.Date, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("message_class", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False, server_default="active"),
        sa.Column("paused_reason", sa.Text),
        sa.Column("resumes_at", TIME),
        sa.Column("not_before", TIME, nullable=False),
        sa.Column("send_before", TIME),
        sa.Column("content_errors", sa.Integer, nullable=False, server_default="0"),
        sa.Column("created_at", TIME, nullable=False, server_default=NOW),
        sa.Column("finished_at", TIME),
        sa.UniqueConstraint("source_kind", "source_id", name="uq_delivery_sources_source_kind_source_id"),
    )
    op.create_table(
        "delivery_chunks",
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), primary_key=True),
        sa.Column("broadcast_id", sa.BigInteger, sa.ForeignKey("delivery_sources.id"), nullable=False),
        sa.Column("bot_id", sa.BigInteger),
        sa.Column("part", sa.Integer, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("first_member_id", sa.BigInteger, nullable=False),
        sa.Column("last_member_id", sa.BigInteger, nullable=False),
        sa.Column("not_before", TIME, nullable=False),
        sa.Column("lease_owner", sa.Text),
        sa.Column("lease_until", TIME),
        sa.Column("fence", sa.Integer, nullable=False, server_default="0"),
        sa.Column("is_done", sa.Boolean, nullable=False, server_default="false"),
        sa.Column("tally", JSONB),
    )
    op.create_index("ix_delivery_chunks_broadcast_id", "delivery_chunks", ["broadcast_id"])
    op.create_index(
        "ix_delivery_chunks_part_id", "delivery_chunks", ["part", "id"], postgresql_where=sa.text("NOT is_done")
    )


def _make_partitioned() -> None:
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
    op.create_table(
        "delivery_intents",
        sa.Column("source_month", sa.Date, nullable=False),
        sa.Column("chunk_id", sa.BigInteger, nullable=False),
        sa.Column("fence", sa.Integer, nullable=False),
        sa.Column("delivery_ids", ARRAY(sa.Uuid), nullable=False),
        sa.Column("at", TIME, nullable=False, server_default=NOW),
        postgresql_partition_by=BY_MONTH,
    )
    op.create_index("ix_delivery_intents_chunk_id_fence", "delivery_intents", ["chunk_id", "fence"])
    op.create_table(
        "delivery_results",
        sa.Column("delivery_id", sa.Uuid, nullable=False),
        sa.Column("chunk_id", sa.BigInteger, nullable=False),
        sa.Column("identity_id", sa.BigInteger),
        sa.Column("at", TIME, nullable=False, server_default=NOW),
        sa.Column("not_before", TIME),
        sa.Column("source_month", sa.Date, nullable=False),
        sa.Column("fence", sa.Integer, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("detail", sa.Text),
        sa.Column("provider_ref", sa.Text),
        sa.Column("awaits_receipt", sa.SmallInteger),
        postgresql_partition_by=BY_MONTH,
    )
    _index_results()
    for table in ("delivery_intents", "delivery_results"):
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION siyu_append_only()"
        )
    for table in ("deliveries", "delivery_intents", "delivery_results"):
        attach_partitions(op.get_bind(), table)


def _index_results() -> None:
    """A block range index costs next to nothing; the others hold few rows."""
    op.create_index(
        "ix_delivery_results_chunk_id",
        "delivery_results",
        ["chunk_id"],
        postgresql_using="brin",
        postgresql_with={"pages_per_range": 16, "autosummarize": "on"},
    )
    replies, receipts = sa.text("chunk_id = 0"), sa.text("awaits_receipt = 1")
    op.create_index("ix_delivery_results_replies", "delivery_results", ["delivery_id"], postgresql_where=replies)
    op.create_index(
        "ix_delivery_results_receipts", "delivery_results", ["identity_id", "provider_ref"], postgresql_where=receipts
    )


def _make_small_ones() -> None:
    op.create_table(
        "delivery_replies",
        sa.Column("delivery_id", sa.Uuid, primary_key=True),
        sa.Column("source_month", sa.Date, nullable=False),
        sa.Column("position", sa.BigInteger, sa.Identity(always=False), nullable=False),
        sa.Column("identity_id", sa.BigInteger, sa.ForeignKey("identities.id", ondelete="CASCADE"), nullable=False),
        sa.Column("message_class", sa.Text, nullable=False),
        sa.Column("is_gated", sa.Boolean, nullable=False, server_default="false"),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("tries", sa.SmallInteger, nullable=False, server_default="0"),
        sa.Column("doubts", sa.SmallInteger, nullable=False, server_default="0"),
        sa.Column("fence", sa.Integer, nullable=False, server_default="0"),
        sa.Column("lease_until", TIME),
    )
    op.create_index("ix_delivery_replies_due_at", "delivery_replies", ["due_at"])
    op.create_index("ix_delivery_replies_identity_id_position", "delivery_replies", ["identity_id", "position"])
    op.create_table(
        "frequency_counters",
        sa.Column("member_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("granted", JSONB, nullable=False),
    )


def downgrade() -> None:
    """Undo."""
    op.execute("DROP VIEW delivery_states")
    op.execute("DROP VIEW delivery_latest")
    for table in (
        "frequency_counters",
        "delivery_replies",
        "delivery_results",
        "delivery_intents",
        "deliveries",
        "delivery_chunks",
        "delivery_sources",
    ):
        op.drop_table(table)
    op.execute("DROP FUNCTION siyu_uuid7(timestamptz)")
