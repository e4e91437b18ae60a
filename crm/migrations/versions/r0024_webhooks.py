"""Outgoing webhooks: endpoints, their messages and attempts; and what choosy subscribers of events wish for."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

from crm.db.partitions import attach_partitions

revision = "r0024"
down_revision = "r0023"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
NOW = sa.text("siyu_now()")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "event_wishes",
        sa.Column("subscriber", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
    )
    op.create_table(
        "webhook_endpoints",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("address_sealed", sa.LargeBinary, nullable=False),
        sa.Column("kinds", ARRAY(sa.Text), nullable=False),
        sa.Column("status", sa.Text, nullable=False, server_default="active"),
        sa.Column("disabled_reason", sa.Text),
        sa.Column("disabled_at", TIME),
        sa.Column("failing_since", TIME),
        sa.Column("secret_sealed", sa.LargeBinary, nullable=False),
        sa.Column("older_secret_sealed", sa.LargeBinary),
        sa.Column("older_secret_until", TIME),
        sa.Column("last_sequence", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("created_by", sa.BigInteger),
        sa.Column("created_at", TIME, nullable=False, server_default=NOW),
    )
    _make_messages()
    _make_attempts()
    for table in ("webhook_messages", "webhook_attempts"):
        attach_partitions(op.get_bind(), table)


def _make_messages() -> None:
    op.create_table(
        "webhook_messages",
        sa.Column("endpoint_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("event_id", sa.Uuid, primary_key=True),
        sa.Column("occurred_at", TIME, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False, server_default="waiting"),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("tries", sa.SmallInteger, nullable=False, server_default="0"),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("fence", sa.Integer, nullable=False, server_default="0"),
        sa.Column("lease_until", TIME),
        sa.Column("last_status", sa.SmallInteger),
        sa.Column("last_error", sa.Text),
        sa.Column("finished_at", TIME),
        sa.Column("created_at", TIME, nullable=False, server_default=NOW),
        postgresql_partition_by="RANGE (occurred_at)",
    )
    waiting, dead = sa.text("state = 'waiting'"), sa.text("state = 'dead'")
    op.create_index("ix_webhook_messages_endpoint_id_sequence", "webhook_messages", ["endpoint_id", "sequence"])
    op.create_index("ix_webhook_messages_due", "webhook_messages", ["endpoint_id", "due_at"], postgresql_where=waiting)
    op.create_index("ix_webhook_messages_dead", "webhook_messages", ["endpoint_id", "sequence"], postgresql_where=dead)


def _make_attempts() -> None:
    op.create_table(
        "webhook_attempts",
        sa.Column("endpoint_id", sa.BigInteger, nullable=False),
        sa.Column("event_id", sa.Uuid, nullable=False),
        sa.Column("at", TIME, nullable=False, server_default=NOW),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("is_success", sa.Boolean, nullable=False),
        sa.Column("status", sa.SmallInteger),
        sa.Column("milliseconds", sa.Integer, nullable=False),
        sa.Column("error", sa.Text),
        sa.Column("excerpt", sa.Text),
        postgresql_partition_by="RANGE (at)",
    )
    op.create_index("ix_webhook_attempts_event_id_endpoint_id", "webhook_attempts", ["event_id", "endpoint_id"])
    op.execute(
        "CREATE TRIGGER webhook_attempts_append_only BEFORE UPDATE ON webhook_attempts"
        " FOR EACH ROW EXECUTE FUNCTION siyu_append_only()"
    )


def downgrade() -> None:
    """Undo."""
    for table in ("webhook_attempts", "webhook_messages", "webhook_endpoints", "event_wishes"):
        op.drop_table(table)
