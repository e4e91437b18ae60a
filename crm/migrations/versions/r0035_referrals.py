"""Referrals: programmes, personal links, visits, referrals, what was given, posters and devices."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from crm.db.partitions import attach_partitions

revision = "r0035"
down_revision = "r0034"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    _referral_programmes()
    _referral_links()
    _referral_touches()
    _referrals()
    _referral_rewards()
    _referral_posters()
    _referral_devices()
    for table in ("referral_touches",):
        attach_partitions(op.get_bind(), table)


def _referral_programmes() -> None:
    op.create_table(
        "referral_programmes",
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("headline", JSONB, server_default="{}", nullable=False),
        sa.Column("act", sa.Text, nullable=False),
        sa.Column("minimum_order", sa.Numeric(precision=12, scale=2)),
        sa.Column("referrer_points", sa.BigInteger, server_default="0", nullable=False),
        sa.Column("referrer_coupon_id", sa.BigInteger),
        sa.Column("friend_points", sa.BigInteger, server_default="0", nullable=False),
        sa.Column("friend_coupon_id", sa.BigInteger),
        sa.Column("second_percent", sa.Integer, server_default="0", nullable=False),
        sa.Column("levels", JSONB, server_default="[]", nullable=False),
        sa.Column("qualify_days", sa.Integer),
        sa.Column("points_last_days", sa.Integer),
        sa.Column("starts_at", TIME),
        sa.Column("ends_at", TIME),
        sa.Column("per_referrer", sa.Integer),
        sa.Column("per_hour", sa.Integer, nullable=False),
        sa.Column("per_day", sa.Integer, nullable=False),
        sa.Column("budget_points", sa.BigInteger),
        sa.Column("spent_points", sa.BigInteger, server_default="0", nullable=False),
        sa.Column("is_active", sa.Boolean, server_default="true", nullable=False),
        sa.Column("created_at", TIME, server_default=sa.text("siyu_now()"), nullable=False),
        sa.ForeignKeyConstraint(["friend_coupon_id"], ["coupons.id"], name="fk_referral_programmes_friend_coupon_id"),
        sa.ForeignKeyConstraint(
            ["referrer_coupon_id"], ["coupons.id"], name="fk_referral_programmes_referrer_coupon_id"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_referral_programmes"),
    )


def _referral_links() -> None:
    op.create_table(
        "referral_links",
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("member_id", sa.BigInteger, nullable=False),
        sa.Column("created_at", TIME, server_default=sa.text("siyu_now()"), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_referral_links_member_id"),
        sa.PrimaryKeyConstraint("code", name="pk_referral_links"),
    )
    op.create_index("ix_referral_links_member_id", "referral_links", ["member_id"])


def _referral_touches() -> None:
    op.create_table(
        "referral_touches",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("referrer_id", sa.BigInteger, nullable=False),
        sa.Column("member_id", sa.BigInteger, nullable=False),
        sa.Column("identity_id", sa.BigInteger, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", "at", name="pk_referral_touches"),
        postgresql_partition_by="RANGE (at)",
    )
    op.create_index("ix_referral_touches_member_id", "referral_touches", ["member_id"])
    op.create_index("ix_referral_touches_referrer_id_at", "referral_touches", ["referrer_id", "at"])


def _referrals() -> None:
    op.create_table(
        "referrals",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("friend_id", sa.BigInteger, nullable=False),
        sa.Column("referrer_id", sa.BigInteger, nullable=False),
        sa.Column("programme_id", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("doubts", JSONB, server_default="[]", nullable=False),
        sa.Column("joined_at", TIME, nullable=False),
        sa.Column("deadline_at", TIME),
        sa.Column("acted_at", TIME),
        sa.Column("decided_at", TIME),
        sa.Column("decided_by", sa.Text),
        sa.Column("reason", sa.Text),
        sa.ForeignKeyConstraint(["friend_id"], ["members.id"], name="fk_referrals_friend_id"),
        sa.ForeignKeyConstraint(["programme_id"], ["referral_programmes.id"], name="fk_referrals_programme_id"),
        sa.ForeignKeyConstraint(["referrer_id"], ["members.id"], name="fk_referrals_referrer_id"),
        sa.PrimaryKeyConstraint("id", name="pk_referrals"),
        sa.UniqueConstraint("friend_id", name="uq_referrals_friend_id"),
    )
    op.create_index("ix_referrals_referrer_id_joined_at", "referrals", ["referrer_id", "joined_at"])
    op.create_index("ix_referrals_status_joined_at", "referrals", ["status", "joined_at"])


def _referral_rewards() -> None:
    op.create_table(
        "referral_rewards",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("programme_id", sa.BigInteger, nullable=False),
        sa.Column("referral_id", sa.Uuid),
        sa.Column("member_id", sa.BigInteger, nullable=False),
        sa.Column("part", sa.Text, nullable=False),
        sa.Column("friends", sa.Integer),
        sa.Column("points", sa.BigInteger, server_default="0", nullable=False),
        sa.Column("transaction_id", sa.Uuid),
        sa.Column("voucher_id", sa.Uuid),
        sa.Column("problem", sa.Text),
        sa.Column("given_at", TIME, nullable=False),
        sa.Column("taken_back_at", TIME),
        sa.Column("remains", sa.Text),
        sa.ForeignKeyConstraint(["programme_id"], ["referral_programmes.id"], name="fk_referral_rewards_programme_id"),
        sa.ForeignKeyConstraint(["referral_id"], ["referrals.id"], name="fk_referral_rewards_referral_id"),
        sa.PrimaryKeyConstraint("key", name="pk_referral_rewards"),
    )
    op.create_index("ix_referral_rewards_member_id_given_at", "referral_rewards", ["member_id", "given_at"])
    op.create_index("ix_referral_rewards_referral_id", "referral_rewards", ["referral_id"])


def _referral_posters() -> None:
    op.create_table(
        "referral_posters",
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("member_id", sa.BigInteger, nullable=False),
        sa.Column("media_id", sa.Uuid, nullable=False),
        sa.Column("created_at", TIME, server_default=sa.text("siyu_now()"), nullable=False),
        sa.ForeignKeyConstraint(["media_id"], ["media.id"], name="fk_referral_posters_media_id"),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_referral_posters_member_id"),
        sa.PrimaryKeyConstraint("digest", name="pk_referral_posters"),
    )
    op.create_index("ix_referral_posters_member_id", "referral_posters", ["member_id"])


def _referral_devices() -> None:
    op.create_table(
        "referral_devices",
        sa.Column("member_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_referral_devices_member_id"),
        sa.PrimaryKeyConstraint("member_id", "fingerprint", name="pk_referral_devices"),
    )
    op.create_index("ix_referral_devices_fingerprint", "referral_devices", ["fingerprint"])


def downgrade() -> None:
    """Undo."""
    for table in (
        "referral_devices",
        "referral_posters",
        "referral_rewards",
        "referrals",
        "referral_touches",
        "referral_links",
        "referral_programmes",
    ):
        op.drop_table(table)
