"""Broadcasts that are paid for up to a cap, and turns between broadcasts."""

import sqlalchemy as sa
from alembic import op

revision = "r0029"
down_revision = "r0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("delivery_sources", sa.Column("served_at", sa.DateTime(timezone=True)))
    op.add_column("delivery_sources", sa.Column("paid_limit", sa.Integer))
    op.add_column("delivery_sources", sa.Column("paid_count", sa.Integer, nullable=False, server_default="0"))
    op.add_column("campaigns", sa.Column("stars_cap", sa.Integer))
    op.drop_index("ix_delivery_chunks_part_id", "delivery_chunks")
    op.create_index(
        "ix_delivery_chunks_broadcast_id_part",
        "delivery_chunks",
        ["broadcast_id", "part"],
        postgresql_where=sa.text("NOT is_done"),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_delivery_chunks_broadcast_id_part", "delivery_chunks")
    op.create_index(
        "ix_delivery_chunks_part_id", "delivery_chunks", ["part", "id"], postgresql_where=sa.text("NOT is_done")
    )
    op.drop_column("campaigns", "stars_cap")
    for column in ("paid_count", "paid_limit", "served_at"):
        op.drop_column("delivery_sources", column)
