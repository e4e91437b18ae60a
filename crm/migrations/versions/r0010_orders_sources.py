"""Tables of orders and sources."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from crm.db.partitions import attach_partitions

revision = "r0010"
down_revision = "r0009"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
NOW = sa.func.siyu_now()


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "sources",
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), primary_key=True),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("tags", JSONB, nullable=False, server_default="[]"),
        sa.Column("welcome", JSONB, nullable=False, server_default="{}"),
        sa.Column("is_archived", sa.Boolean, nullable=False, server_default="false"),
        sa.Column("created_at", TIME, nullable=False, server_default=NOW),
        sa.UniqueConstraint("code", name="uq_sources_code"),
    )
    op.create_table(
        "orders",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("placed_at", TIME, primary_key=True),
        sa.Column("member_id", sa.BigInteger, nullable=False),
        sa.Column("external_id", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("amount", sa.Numeric(18, 2), nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("items", JSONB, nullable=False, server_default="[]"),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False, server_default=NOW),
        sa.CheckConstraint("amount >= 0", name="ck_orders_amount"),
        postgresql_partition_by="RANGE (placed_at)",
    )
    op.create_index("ix_orders_member_id_placed_at", "orders", ["member_id", "placed_at"])
    op.create_index("ix_orders_placed_at", "orders", ["placed_at"])
    attach_partitions(op.get_bind(), "orders")
    op.create_table(
        "order_keys",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("external_id", sa.Text, primary_key=True),
        sa.Column("order_id", sa.BigInteger, sa.Identity(always=False), nullable=False),
        sa.Column("placed_at", TIME, nullable=False),
    )


def downgrade() -> None:
    """Undo."""
    for table in ("order_keys", "orders", "sources"):
        op.drop_table(table)
