"""Tiers: versions of the programme, standings, history by month, evaluations, benefits."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from crm.db.partitions import attach_partitions

revision = "r0033"
down_revision = "r0032"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    _tier_programmes()
    _tier_standings()
    _tier_history()
    _tier_runs()
    _tier_benefits()
    for table in ("tier_history",):
        attach_partitions(op.get_bind(), table)


def _tier_programmes() -> None:
    op.create_table(
        "tier_programmes",
        sa.Column("version", sa.BigInteger, sa.Identity(always=False), nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("rules", JSONB, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", TIME, server_default=sa.text("siyu_now()"), nullable=False),
        sa.Column("published_at", TIME),
        sa.Column("retired_at", TIME),
        sa.PrimaryKeyConstraint("version", name="pk_tier_programmes"),
    )
    op.create_index(
        "ix_tier_programmes_status",
        "tier_programmes",
        ["status"],
        unique=True,
        postgresql_where=sa.text("status IN ('draft', 'live')"),
    )


def _tier_standings() -> None:
    op.create_table(
        "tier_standings",
        sa.Column("member_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("tier", sa.Text),
        sa.Column("earned", sa.Text),
        sa.Column("since", TIME),
        sa.Column("falls_at", TIME),
        sa.Column("risk_ends_at", TIME),
        sa.Column("grant_tier", sa.Text),
        sa.Column("grant_until", TIME),
        sa.Column("grant_reason", sa.Text),
        sa.Column("grant_by", sa.Text),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_tier_standings_member_id"),
        sa.PrimaryKeyConstraint("member_id", name="pk_tier_standings"),
    )
    op.create_index("ix_tier_standings_tier_member_id", "tier_standings", ["tier", "member_id"])


def _tier_history() -> None:
    op.create_table(
        "tier_history",
        sa.Column("member_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("ended_at", TIME),
        sa.Column("tier", sa.Text),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("measure", sa.Text, nullable=False),
        sa.Column("value", sa.Numeric(precision=18, scale=2), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("member_id", "started_at", name="pk_tier_history"),
        postgresql_partition_by="RANGE (started_at)",
    )


def _tier_runs() -> None:
    op.create_table(
        "tier_runs",
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("next_id", sa.BigInteger, nullable=False),
        sa.Column("until_id", sa.BigInteger, nullable=False),
        sa.Column("up", sa.BigInteger, server_default="0", nullable=False),
        sa.Column("down", sa.BigInteger, server_default="0", nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("finished_at", TIME),
        sa.ForeignKeyConstraint(["version"], ["tier_programmes.version"], name="fk_tier_runs_version"),
        sa.PrimaryKeyConstraint("id", name="pk_tier_runs"),
    )
    op.create_index(
        "uq_tier_runs_open",
        "tier_runs",
        [sa.text("(finished_at IS NULL)")],
        unique=True,
        postgresql_where=sa.text("finished_at IS NULL"),
    )


def _tier_benefits() -> None:
    op.create_table(
        "tier_benefits",
        sa.Column("member_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("period", sa.Text, nullable=False),
        sa.Column("coupon_id", sa.BigInteger, nullable=False),
        sa.Column("voucher_id", sa.Uuid),
        sa.Column("problem", sa.Text),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("member_id", "kind", name="pk_tier_benefits"),
    )
    op.create_index("ix_tier_benefits_kind_period", "tier_benefits", ["kind", "period"])


def downgrade() -> None:
    """Undo."""
    for table in ("tier_benefits", "tier_runs", "tier_history", "tier_standings", "tier_programmes"):
        op.drop_table(table)
