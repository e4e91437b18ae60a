"""Pending and held points, taking back by parts, expiry and activation as sets; refunds of orders."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from crm.migrations import ledger_functions, points_functions

revision = "r0032"
down_revision = "r0031"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    for name in ("pending", "held"):
        op.add_column("point_accounts", sa.Column(name, sa.BigInteger, nullable=False, server_default="0"))
        op.create_check_constraint(op.f(f"ck_point_accounts_{name}"), "point_accounts", f"{name} >= 0")
    _pending()
    _holds()
    op.create_index(
        "ix_ledger_entries_member_id",
        "ledger_entries",
        ["member_id"],
        postgresql_where=sa.text("account IN ('debt', 'pending', 'held')"),
    )
    op.add_column("orders", sa.Column("refunded", sa.Numeric(18, 2), nullable=False, server_default="0"))
    op.add_column("orders", sa.Column("refunds", JSONB, nullable=False, server_default="[]"))
    for name in ledger_functions.REPLACED:
        op.execute(f"DROP FUNCTION {name}")
    for function in ledger_functions.FUNCTIONS:
        op.execute(function)


def _pending() -> None:
    op.create_table(
        "pending_points",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("member_id", sa.BigInteger, nullable=False),
        sa.Column("transaction_id", sa.Uuid, nullable=False),
        sa.Column("points", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("earned_at", TIME, nullable=False),
        sa.Column("activates_at", TIME),
        sa.Column("expires_at", TIME),
        sa.Column("validity", JSONB, nullable=False, server_default="{}"),
        sa.Column("rule_id", sa.BigInteger),
        sa.Column("event_id", sa.Uuid),
        sa.CheckConstraint("points > 0", name=op.f("ck_pending_points_points")),
    )
    op.create_index("ix_pending_points_member_id_activates_at", "pending_points", ["member_id", "activates_at"])
    op.create_index(
        "ix_pending_points_activates_at_key",
        "pending_points",
        ["activates_at", "key"],
        postgresql_where=sa.text("activates_at IS NOT NULL"),
    )


def _holds() -> None:
    op.create_table(
        "point_holds",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("member_id", sa.BigInteger, nullable=False),
        sa.Column("transaction_id", sa.Uuid, nullable=False),
        sa.Column("points", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("held_at", TIME, nullable=False),
        sa.Column("until", TIME, nullable=False),
        sa.CheckConstraint("points > 0", name=op.f("ck_point_holds_points")),
    )
    op.create_index("ix_point_holds_member_id_until", "point_holds", ["member_id", "until"])
    op.create_index("ix_point_holds_until_key", "point_holds", ["until", "key"])


def downgrade() -> None:
    """Undo."""
    for name in ledger_functions.DROPPED:
        op.execute(f"DROP {name}")
    op.execute(points_functions.RESTORE_LOTS)
    op.execute(points_functions.POST)
    op.drop_column("orders", "refunds")
    op.drop_column("orders", "refunded")
    op.drop_index("ix_ledger_entries_member_id", "ledger_entries")
    op.drop_table("point_holds")
    op.drop_table("pending_points")
    op.drop_column("point_accounts", "held")
    op.drop_column("point_accounts", "pending")
