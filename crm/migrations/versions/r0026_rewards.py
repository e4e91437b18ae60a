"""Rewards and what was redeemed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from crm.db.partitions import attach_partitions

revision = "r0026"
down_revision = "r0025"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    _rewards()
    _reward_member_counts()
    _redemptions()
    _redemption_keys()
    for table in ("redemptions",):
        attach_partitions(op.get_bind(), table)


def _rewards() -> None:
    op.create_table(
        "rewards",
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), nullable=False),
        sa.Column("name", JSONB, nullable=False),
        sa.Column("description", JSONB, server_default="{}", nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("points", sa.BigInteger, nullable=False),
        sa.Column("amount", sa.Numeric(precision=12, scale=2)),
        sa.Column("coupon_id", sa.BigInteger),
        sa.Column("photo_media_id", sa.Uuid),
        sa.Column("stock", sa.BigInteger),
        sa.Column("limit_per_member", sa.Integer),
        sa.Column("tiers", JSONB, server_default="[]", nullable=False),
        sa.Column("tier_limits", JSONB, server_default="{}", nullable=False),
        sa.Column("starts_at", TIME),
        sa.Column("ends_at", TIME),
        sa.Column("needs_address", sa.Boolean, server_default="false", nullable=False),
        sa.Column("position", sa.Integer, server_default="0", nullable=False),
        sa.Column("is_active", sa.Boolean, server_default="true", nullable=False),
        sa.Column("redeemed", sa.BigInteger, server_default="0", nullable=False),
        sa.Column("created_at", TIME, server_default=sa.text("siyu_now()"), nullable=False),
        sa.CheckConstraint("stock >= 0", name="ck_rewards_stock"),
        sa.ForeignKeyConstraint(["coupon_id"], ["coupons.id"], name="fk_rewards_coupon_id"),
        sa.ForeignKeyConstraint(["photo_media_id"], ["media.id"], name="fk_rewards_photo_media_id"),
        sa.PrimaryKeyConstraint("id", name="pk_rewards"),
    )


def _reward_member_counts() -> None:
    op.create_table(
        "reward_member_counts",
        sa.Column("reward_id", sa.BigInteger, nullable=False),
        sa.Column("member_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("redeemed", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["reward_id"], ["rewards.id"], name="fk_reward_member_counts_reward_id"),
        sa.PrimaryKeyConstraint("reward_id", "member_id", name="pk_reward_member_counts"),
    )


def _redemptions() -> None:
    op.create_table(
        "redemptions",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("reward_id", sa.BigInteger, nullable=False),
        sa.Column("member_id", sa.BigInteger, nullable=False),
        sa.Column("points", sa.BigInteger, nullable=False),
        sa.Column("amount", sa.Numeric(precision=12, scale=2)),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("transaction_id", sa.Uuid, nullable=False),
        sa.Column("voucher_id", sa.Uuid),
        sa.Column("address", sa.LargeBinary),
        sa.Column("tracking", sa.Text),
        sa.Column("changed_at", TIME, server_default=sa.text("siyu_now()"), nullable=False),
        sa.Column("changed_by", sa.Text),
        sa.PrimaryKeyConstraint("id", "at", name="pk_redemptions"),
        postgresql_partition_by="RANGE (at)",
    )
    op.create_index("ix_redemptions_member_id_at", "redemptions", ["member_id", "at"])
    op.create_index("ix_redemptions_status_at", "redemptions", ["status", "at"])


def _redemption_keys() -> None:
    op.create_table(
        "redemption_keys",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("redemption_id", sa.Uuid, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_redemption_keys"),
    )


def downgrade() -> None:
    """Undo."""
    for table in ("redemption_keys", "redemptions", "reward_member_counts", "rewards"):
        op.drop_table(table)
