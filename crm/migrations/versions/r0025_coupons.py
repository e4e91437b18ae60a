"""Coupons, their pools of codes, and vouchers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from crm.db.partitions import attach_partitions

revision = "r0025"
down_revision = "r0024"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    _coupons()
    _coupon_codes()
    _coupon_member_counts()
    _vouchers()
    _voucher_codes()
    _voucher_keys()
    _voucher_log()
    _voucher_use_keys()
    for table in ("vouchers", "voucher_log"):
        attach_partitions(op.get_bind(), table)
    op.execute(
        "CREATE TRIGGER voucher_log_append_only BEFORE UPDATE OR DELETE ON voucher_log"
        " FOR EACH ROW EXECUTE FUNCTION siyu_append_only()"
    )


def _coupons() -> None:
    op.create_table(
        "coupons",
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), nullable=False),
        sa.Column("name", JSONB, nullable=False),
        sa.Column("description", JSONB, server_default="{}", nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("value", sa.Numeric(precision=12, scale=2)),
        sa.Column("most", sa.Numeric(precision=12, scale=2)),
        sa.Column("minimum_spend", sa.Numeric(precision=12, scale=2)),
        sa.Column("stacking", sa.Text, nullable=False),
        sa.Column("starts_at", TIME),
        sa.Column("ends_at", TIME),
        sa.Column("valid_days", sa.Integer),
        sa.Column("limit_total", sa.BigInteger),
        sa.Column("limit_per_member", sa.BigInteger),
        sa.Column("code_source", sa.Text, nullable=False),
        sa.Column("pattern", sa.Text),
        sa.Column("shared_code", sa.Text),
        sa.Column("is_active", sa.Boolean, server_default="true", nullable=False),
        sa.Column("issued", sa.BigInteger, server_default="0", nullable=False),
        sa.Column("created_at", TIME, server_default=sa.text("siyu_now()"), nullable=False),
        sa.CheckConstraint("limit_total IS NULL OR issued <= limit_total", name="ck_coupons_limit"),
        sa.PrimaryKeyConstraint("id", name="pk_coupons"),
        sa.UniqueConstraint("shared_code", name="uq_coupons_shared_code"),
    )


def _coupon_codes() -> None:
    op.create_table(
        "coupon_codes",
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("coupon_id", sa.BigInteger, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("is_taken", sa.Boolean, server_default="false", nullable=False),
        sa.ForeignKeyConstraint(["coupon_id"], ["coupons.id"], name="fk_coupon_codes_coupon_id"),
        sa.PrimaryKeyConstraint("code", name="pk_coupon_codes"),
    )
    op.create_index(
        "ix_coupon_codes_coupon_id_position",
        "coupon_codes",
        ["coupon_id", "position"],
        postgresql_where=sa.text("NOT is_taken"),
    )


def _coupon_member_counts() -> None:
    op.create_table(
        "coupon_member_counts",
        sa.Column("coupon_id", sa.BigInteger, nullable=False),
        sa.Column("member_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("issued", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["coupon_id"], ["coupons.id"], name="fk_coupon_member_counts_coupon_id"),
        sa.PrimaryKeyConstraint("coupon_id", "member_id", name="pk_coupon_member_counts"),
    )


def _vouchers() -> None:
    op.create_table(
        "vouchers",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("issued_at", TIME, nullable=False),
        sa.Column("coupon_id", sa.BigInteger, nullable=False),
        sa.Column("member_id", sa.BigInteger, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("valid_from", TIME, nullable=False),
        sa.Column("expires_at", TIME),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("used_at", TIME),
        sa.Column("used_by", sa.Text),
        sa.Column("used_key", sa.Text),
        sa.Column("reference", sa.Text),
        sa.PrimaryKeyConstraint("id", "issued_at", name="pk_vouchers"),
        postgresql_partition_by="RANGE (issued_at)",
    )
    op.create_index("ix_vouchers_coupon_id_issued_at", "vouchers", ["coupon_id", "issued_at"])
    op.create_index(
        "ix_vouchers_expires_at",
        "vouchers",
        ["expires_at"],
        postgresql_where=sa.text("status = 'issued' AND expires_at IS NOT NULL"),
    )
    op.create_index("ix_vouchers_member_id_issued_at", "vouchers", ["member_id", "issued_at"])


def _voucher_codes() -> None:
    op.create_table(
        "voucher_codes",
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("voucher_id", sa.Uuid, nullable=False),
        sa.Column("issued_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("code", name="pk_voucher_codes"),
    )


def _voucher_keys() -> None:
    op.create_table(
        "voucher_keys",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("voucher_id", sa.Uuid, nullable=False),
        sa.Column("issued_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_voucher_keys"),
    )


def _voucher_log() -> None:
    op.create_table(
        "voucher_log",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("voucher_id", sa.Uuid, nullable=False),
        sa.Column("act", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("detail", sa.Text),
        sa.PrimaryKeyConstraint("id", "at", name="pk_voucher_log"),
        postgresql_partition_by="RANGE (at)",
    )
    op.create_index("ix_voucher_log_voucher_id", "voucher_log", ["voucher_id"])


def _voucher_use_keys() -> None:
    op.create_table(
        "voucher_use_keys",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("codes", JSONB, nullable=False),
        sa.Column("discount", sa.Numeric(precision=12, scale=2)),
        sa.Column("at", TIME, server_default=sa.text("siyu_now()"), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_voucher_use_keys"),
    )


def downgrade() -> None:
    """Undo."""
    for table in (
        "voucher_use_keys",
        "voucher_log",
        "voucher_keys",
        "voucher_codes",
        "vouchers",
        "coupon_member_counts",
        "coupon_codes",
        "coupons",
    ):
        op.drop_table(table)
