"""The event log and its open hand-offs."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from crm.db.partitions import attach_partitions

revision = "r0002"
down_revision = "r0001"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "events",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("occurred_at", TIME, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("member_id", sa.BigInteger),
        sa.Column("source", sa.Text, nullable=False, server_default="siyu"),
        sa.Column("data", JSONB, nullable=False),
        postgresql_partition_by="RANGE (occurred_at)",
    )
    op.create_index("ix_events_member_id_occurred_at", "events", ["member_id", "occurred_at"])
    op.create_index("ix_events_member_id_kind_occurred_at", "events", ["member_id", "kind", "occurred_at"])
    op.create_index("ix_events_kind_occurred_at", "events", ["kind", "occurred_at"])
    op.execute(
        "CREATE TRIGGER events_append_only BEFORE UPDATE ON events FOR EACH ROW EXECUTE FUNCTION siyu_append_only()"
    )
    attach_partitions(op.get_bind(), "events")
    op.create_table(
        "event_handoffs",
        sa.Column("event_id", sa.Uuid, primary_key=True),
        sa.Column("subscriber", sa.Text, primary_key=True),
        sa.Column("occurred_at", TIME, nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("attempts", sa.SmallInteger, nullable=False, server_default="0"),
        sa.Column("is_dead", sa.Boolean, nullable=False, server_default="false"),
        sa.Column("last_error", sa.Text),
    )
    op.create_index(
        "ix_event_handoffs_due_at", "event_handoffs", ["due_at"], postgresql_where=sa.text("is_dead = false")
    )
    op.create_table(
        "event_keys",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("event_id", sa.Uuid, nullable=False),
        sa.Column("kept_since", TIME, nullable=False),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("event_keys")
    op.drop_table("event_handoffs")
    op.drop_table("events")
