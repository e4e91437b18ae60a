"""Terms of earning rules: caps and their counters, a budget for all rules, replays, versions named by awards."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "r0031"
down_revision = "r0030"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
RULE_VERSION = """
CREATE FUNCTION siyu_rule_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT v.version INTO NEW.rule_version FROM earning_rule_versions v
    WHERE v.rule_id = NEW.rule_id AND v.in_force_from <= NEW.occurred_at
      AND (v.in_force_until IS NULL OR v.in_force_until > NEW.occurred_at)
    ORDER BY v.version DESC LIMIT 1;
    RETURN NEW;
END $$
"""
NAMES_VERSION = """
CREATE TRIGGER ledger_transactions_rule_version BEFORE INSERT ON ledger_transactions
FOR EACH ROW WHEN (NEW.rule_id IS NOT NULL) EXECUTE FUNCTION siyu_rule_version()
"""


def upgrade() -> None:
    """Apply."""
    op.add_column("earning_rule_versions", sa.Column("terms", JSONB, nullable=False, server_default="{}"))
    op.add_column(
        "profiles", sa.Column("segment_ids", sa.ARRAY(sa.Integer), nullable=False, server_default=sa.text("'{}'"))
    )
    op.add_column("ledger_transactions", sa.Column("rule_version", sa.Integer))
    op.execute(RULE_VERSION)
    op.execute(NAMES_VERSION)
    _earning_programme()
    _earning_counters()
    _earning_replays()
    _earning_replay_members()


def _earning_programme() -> None:
    op.create_table(
        "earning_programme",
        sa.Column("id", sa.SmallInteger, autoincrement=False, nullable=False),
        sa.Column("month_budget", sa.BigInteger),
        sa.Column("over", sa.Text, nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_earning_programme_single")),
        sa.PrimaryKeyConstraint("id", name="pk_earning_programme"),
    )


def _earning_counters() -> None:
    op.create_table(
        "earning_counters",
        sa.Column("rule_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("member_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("period", sa.Text, nullable=False),
        sa.Column("starts_on", sa.Date, nullable=False),
        sa.Column("points", sa.BigInteger, server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("rule_id", "member_id", "period", "starts_on", name="pk_earning_counters"),
        postgresql_with={"fillfactor": "80"},
    )
    op.create_index("ix_earning_counters_member_id", "earning_counters", ["member_id"])
    op.create_index("ix_earning_counters_starts_on", "earning_counters", ["starts_on"])


def _earning_replays() -> None:
    op.create_table(
        "earning_replays",
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), nullable=False),
        sa.Column("rule_id", sa.BigInteger),
        sa.Column("draft", JSONB, nullable=False),
        sa.Column("from_at", TIME, nullable=False),
        sa.Column("until_at", TIME, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("total_events", sa.BigInteger, server_default="0", nullable=False),
        sa.Column("done_events", sa.BigInteger, server_default="0", nullable=False),
        sa.Column("state", JSONB, server_default="{}", nullable=False),
        sa.Column("result", JSONB),
        sa.Column("error", sa.Text),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", TIME, server_default=sa.text("siyu_now()"), nullable=False),
        sa.Column("finished_at", TIME),
        sa.PrimaryKeyConstraint("id", name="pk_earning_replays"),
    )


def _earning_replay_members() -> None:
    op.create_table(
        "earning_replay_members",
        sa.Column("replay_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("member_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("live", sa.BigInteger, nullable=False),
        sa.Column("draft", sa.BigInteger, nullable=False),
        sa.Column("counters", JSONB, nullable=False),
        sa.ForeignKeyConstraint(
            ["replay_id"],
            ["earning_replays.id"],
            name="fk_earning_replay_members_replay_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("replay_id", "member_id", name="pk_earning_replay_members"),
    )


def downgrade() -> None:
    """Undo."""
    for table in ("earning_replay_members", "earning_replays", "earning_counters", "earning_programme"):
        op.drop_table(table)
    op.execute("DROP TRIGGER ledger_transactions_rule_version ON ledger_transactions")
    op.execute("DROP FUNCTION siyu_rule_version")
    op.drop_column("ledger_transactions", "rule_version")
    op.drop_column("profiles", "segment_ids")
    op.drop_column("earning_rule_versions", "terms")
