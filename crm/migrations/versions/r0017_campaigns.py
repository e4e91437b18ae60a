"""Campaigns."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "r0017"
down_revision = "r0016"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "campaigns",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("segment_id", sa.BigInteger, nullable=False),
        sa.Column("message", JSONB, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("message_class", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False, server_default="draft"),
        sa.Column("scheduled_at", TIME),
        sa.Column("max_lateness_minutes", sa.Integer, nullable=False, server_default="60"),
        sa.Column("send_before", TIME),
        sa.Column("held_reason", sa.Text),
        sa.Column("audience_size", sa.Integer),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("launched_by", sa.Text),
        sa.Column("created_at", TIME, nullable=False, server_default=sa.text("siyu_now()")),
        sa.Column("launched_at", TIME),
        sa.Column("started_at", TIME),
        sa.Column("finished_at", TIME),
        sa.Column("archived_at", TIME),
        sa.ForeignKeyConstraint(["segment_id"], ["segments.id"], name="fk_campaigns_segment_id"),
    )
    op.create_index(
        "ix_campaigns_scheduled_at", "campaigns", ["scheduled_at"], postgresql_where=sa.text("status = 'scheduled'")
    )
    op.create_index("ix_campaigns_status", "campaigns", ["status"])
    op.create_index("ix_campaigns_segment_id", "campaigns", ["segment_id"])


def downgrade() -> None:
    """Undo."""
    op.drop_table("campaigns")
