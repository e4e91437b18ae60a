"""Check-ins: the programme, milestones and what they gave, make-up cards, the leaderboard."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from crm.db.partitions import attach_partitions

revision = "r0038"
down_revision = "r0037"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    _check_in_programmes()
    _check_in_milestones()
    _check_in_gifts()
    _check_in_cards()
    _check_in_card_moves()
    _check_in_leaders()
    attach_partitions(op.get_bind(), "check_in_gifts")
    op.add_column("check_ins", sa.Column("kind", sa.Text, nullable=False, server_default="checked_in"))
    op.add_column("check_in_streaks", sa.Column("zone", sa.Text))


def _check_in_programmes() -> None:
    op.create_table(
        "check_in_programmes",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("days_back", sa.Integer, nullable=False),
        sa.Column("make_ups_per_month", sa.Integer),
        sa.Column("made_up_points", sa.BigInteger, nullable=False),
        sa.Column("has_made_up_milestones", sa.Boolean, nullable=False),
        sa.Column("card_price", sa.BigInteger),
        sa.Column("bought_per_month", sa.Integer),
        sa.Column("most_cards", sa.Integer, nullable=False),
        sa.Column("cards_for", JSONB, nullable=False),
        sa.Column("insurance", sa.Text, nullable=False),
        sa.Column("passes_per_month", sa.Integer, nullable=False),
        sa.Column("insured_days", sa.Integer, nullable=False),
        sa.Column("insured_from", sa.Integer, nullable=False),
        sa.Column("has_leaderboard", sa.Boolean, nullable=False),
        sa.Column("places", sa.Integer, nullable=False),
        sa.CheckConstraint("id = 1", name="ck_check_in_programmes_only_one"),
        sa.PrimaryKeyConstraint("id", name="pk_check_in_programmes"),
    )


def _check_in_milestones() -> None:
    op.create_table(
        "check_in_milestones",
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), nullable=False),
        sa.Column("day", sa.Integer, nullable=False),
        sa.Column("is_repeated", sa.Boolean, nullable=False),
        sa.Column("points", sa.BigInteger, nullable=False),
        sa.Column("coupon_id", sa.BigInteger),
        sa.Column("cards", sa.Integer, nullable=False),
        sa.Column("badge", JSONB, nullable=False),
        sa.Column("is_active", sa.Boolean, server_default="true", nullable=False),
        sa.Column("created_at", TIME, server_default=sa.text("siyu_now()"), nullable=False),
        sa.ForeignKeyConstraint(["coupon_id"], ["coupons.id"], name="fk_check_in_milestones_coupon_id"),
        sa.PrimaryKeyConstraint("id", name="pk_check_in_milestones"),
    )
    op.create_index(
        "ix_check_in_milestones_day", "check_in_milestones", ["day"], unique=True, postgresql_where=sa.text("is_active")
    )


def _check_in_gifts() -> None:
    op.create_table(
        "check_in_gifts",
        sa.Column("member_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("milestone_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("reached_on", sa.Date, nullable=False),
        sa.Column("days", sa.Integer, nullable=False),
        sa.Column("points", sa.BigInteger, nullable=False),
        sa.Column("cards", sa.Integer, nullable=False),
        sa.Column("voucher_id", sa.Uuid),
        sa.Column("badge", JSONB, nullable=False),
        sa.Column("given_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("member_id", "milestone_id", "reached_on", name="pk_check_in_gifts"),
        postgresql_partition_by="RANGE (reached_on)",
    )


def _check_in_cards() -> None:
    op.create_table(
        "check_in_cards",
        sa.Column("member_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("cards", sa.Integer, nullable=False),
        sa.CheckConstraint("cards >= 0", name="ck_check_in_cards_not_negative"),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_check_in_cards_member_id"),
        sa.PrimaryKeyConstraint("member_id", name="pk_check_in_cards"),
    )


def _check_in_card_moves() -> None:
    op.create_table(
        "check_in_card_moves",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("member_id", sa.BigInteger, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("change", sa.Integer, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_check_in_card_moves"),
    )
    op.create_index("ix_check_in_card_moves_member_id_at", "check_in_card_moves", ["member_id", "at"])


def _check_in_leaders() -> None:
    op.create_table(
        "check_in_leaders",
        sa.Column("member_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("alias", sa.Text),
        sa.Column("joined_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_check_in_leaders_member_id"),
        sa.PrimaryKeyConstraint("member_id", name="pk_check_in_leaders"),
    )


def downgrade() -> None:
    """Undo."""
    op.execute("DELETE FROM check_ins WHERE kind <> 'checked_in'")
    op.drop_column("check_ins", "kind")
    op.drop_column("check_in_streaks", "zone")
    for table in ("leaders", "card_moves", "cards", "gifts", "milestones", "programmes"):
        op.drop_table(f"check_in_{table}")
