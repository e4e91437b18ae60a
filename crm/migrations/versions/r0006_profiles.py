"""Tables of profiles."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "r0006"
down_revision = "r0005"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "profiles",
        sa.Column("member_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("is_active", sa.Boolean, nullable=False, server_default="true"),
        sa.Column("stage", sa.Text, nullable=False, server_default="lead"),
        sa.Column("grade", sa.Text),
        sa.Column("tier", sa.Text),
        sa.Column("multiplier", sa.Numeric(6, 3), nullable=False, server_default="1"),
        sa.Column("points_balance", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("streak", sa.Integer, nullable=False, server_default="0"),
        sa.Column("last_check_in_on", sa.Date),
        sa.Column("check_ins_count", sa.Integer, nullable=False, server_default="0"),
        sa.Column("orders_count", sa.Integer, nullable=False, server_default="0"),
        sa.Column("orders_total", sa.Numeric(18, 2), nullable=False, server_default="0"),
        sa.Column("first_order_at", TIME),
        sa.Column("last_order_at", TIME),
        sa.Column("last_seen_at", TIME),
        sa.Column("signed_up_at", TIME),
        sa.Column("locale", sa.Text, nullable=False),
        sa.Column("tag_ids", ARRAY(sa.Integer), nullable=False, server_default="{}"),
        sa.Column("first_source_id", sa.BigInteger),
        sa.Column("last_source_id", sa.BigInteger),
        sa.Column("joined_at", TIME, nullable=False, server_default=sa.func.siyu_now()),
        sa.Column("is_reachable", sa.Boolean, nullable=False, server_default="true"),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_profiles_member_id", ondelete="CASCADE"),
        sa.CheckConstraint(
            "stage IN ('lead', 'new', 'repeat', 'loyal', 'at_risk', 'churned', 'won_back')", name="ck_profiles_stage"
        ),
    )
    op.create_index(
        "ix_profiles_tag_ids",
        "profiles",
        ["tag_ids"],
        postgresql_using="gin",
        postgresql_ops={"tag_ids": "gin__int_ops"},
    )
    for column in ("stage", "last_check_in_on", "signed_up_at", "last_order_at"):
        op.create_index(f"ix_profiles_{column}", "profiles", [column])


def downgrade() -> None:
    """Undo."""
    op.drop_table("profiles")
