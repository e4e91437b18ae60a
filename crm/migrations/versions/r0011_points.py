"""The points ledger: append-only transactions and entries, lots, accounts, checkpoints; and earning rules."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from crm.db.partitions import attach_partitions
from crm.migrations.points_functions import DROPPED, FUNCTIONS

revision = "r0011"
down_revision = "r0010"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
IMMUTABLE = (
    "ledger_transactions",
    "ledger_entries",
    "ledger_keys",
    "lot_uses",
    "ledger_checkpoints",
    "ledger_checkpoint_heads",
)
PARTITIONED = ("ledger_transactions", "ledger_entries", "lot_uses", "ledger_checkpoint_heads")


def upgrade() -> None:
    """Apply."""
    _transactions()
    _lots_and_accounts()
    _checkpoints()
    _rules()
    for function in FUNCTIONS:
        op.execute(function)
    for table in IMMUTABLE:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION siyu_append_only()"
        )
    op.execute(
        "CREATE TRIGGER ledger_entries_balanced AFTER INSERT ON ledger_entries REFERENCING NEW TABLE AS added"
        " FOR EACH STATEMENT EXECUTE FUNCTION siyu_ledger_balanced()"
    )
    for table in PARTITIONED:
        attach_partitions(op.get_bind(), table)


def _transactions() -> None:
    op.create_table(
        "ledger_transactions",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("occurred_at", TIME, primary_key=True),
        sa.Column("recorded_at", TIME, nullable=False, server_default=sa.func.siyu_now()),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False, server_default="system"),
        sa.Column("rule_id", sa.BigInteger),
        sa.Column("event_id", sa.Uuid),
        sa.Column("reverses_id", sa.Uuid),
        postgresql_partition_by="RANGE (occurred_at)",
    )
    op.create_index(
        "ix_ledger_transactions_reverses_id",
        "ledger_transactions",
        ["reverses_id"],
        postgresql_where=sa.text("reverses_id IS NOT NULL"),
    )
    op.create_table(
        "ledger_keys",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("transaction_id", sa.Uuid, nullable=False),
        sa.Column("occurred_at", TIME, nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("reverses_id", sa.Uuid),
    )
    op.create_index(
        "ix_ledger_keys_reverses_id",
        "ledger_keys",
        ["reverses_id"],
        unique=True,
        postgresql_where=sa.text("reverses_id IS NOT NULL"),
    )
    op.create_table(
        "ledger_entries",
        sa.Column("transaction_id", sa.Uuid, primary_key=True),
        sa.Column("position", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("occurred_at", TIME, primary_key=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("member_id", sa.BigInteger),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("sequence", sa.BigInteger),
        sa.Column("balance_after", sa.BigInteger),
        sa.Column("hash", sa.LargeBinary),
        sa.CheckConstraint("amount <> 0", name=op.f("ck_ledger_entries_amount")),
        sa.CheckConstraint(
            "account <> 'member' OR"
            " (member_id IS NOT NULL AND sequence > 0 AND balance_after >= 0 AND hash IS NOT NULL)",
            name=op.f("ck_ledger_entries_member"),
        ),
        postgresql_partition_by="RANGE (occurred_at)",
    )
    op.create_index(
        "ix_ledger_entries_member_id_sequence",
        "ledger_entries",
        ["member_id", "sequence"],
        postgresql_where=sa.text("account = 'member'"),
    )


def _lots_and_accounts() -> None:
    op.create_table(
        "point_lots",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("member_id", sa.BigInteger, nullable=False),
        sa.Column("transaction_id", sa.Uuid, nullable=False),
        sa.Column("points", sa.BigInteger, nullable=False),
        sa.Column("remaining", sa.BigInteger, nullable=False),
        sa.Column("earned_at", TIME, nullable=False),
        sa.Column("expires_at", TIME),
        sa.CheckConstraint("remaining BETWEEN 0 AND points", name=op.f("ck_point_lots_remaining")),
    )
    op.create_index(
        "ix_point_lots_member_id_expires_at_earned_at",
        "point_lots",
        ["member_id", "expires_at", "earned_at"],
        postgresql_where=sa.text("remaining > 0"),
    )
    op.create_index(
        "ix_point_lots_expires_at",
        "point_lots",
        ["expires_at"],
        postgresql_where=sa.text("remaining > 0 AND expires_at IS NOT NULL"),
    )
    op.create_table(
        "lot_uses",
        sa.Column("transaction_id", sa.Uuid, primary_key=True),
        sa.Column("lot_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("occurred_at", TIME, primary_key=True),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_lot_uses_amount")),
        postgresql_partition_by="RANGE (occurred_at)",
    )
    op.create_table(
        "point_accounts",
        sa.Column("member_id", sa.BigInteger, sa.ForeignKey("members.id"), primary_key=True, autoincrement=False),
        sa.Column("balance", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("debt", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("last_sequence", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("last_hash", sa.LargeBinary, nullable=False, server_default=sa.text("''::bytea")),
        sa.Column("sealed_sequence", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("merged_into_id", sa.BigInteger),
        sa.CheckConstraint("balance >= 0", name=op.f("ck_point_accounts_balance")),
        sa.CheckConstraint("debt >= 0", name=op.f("ck_point_accounts_debt")),
        sa.CheckConstraint("balance = 0 OR debt = 0", name=op.f("ck_point_accounts_settled")),
        postgresql_with={"fillfactor": "80"},
    )
    op.create_index(
        "ix_point_accounts_member_id",
        "point_accounts",
        ["member_id"],
        postgresql_where=sa.text("last_sequence > sealed_sequence"),
    )


def _checkpoints() -> None:
    op.create_table(
        "ledger_checkpoints",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("accounts", sa.Integer, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("signature", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "ledger_checkpoint_heads",
        sa.Column("checkpoint_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("member_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", TIME, primary_key=True),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        postgresql_partition_by="RANGE (at)",
    )


def _rules() -> None:
    op.create_table(
        "earning_rules",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("shipped_key", sa.Text, unique=True),
        sa.Column("created_at", TIME, nullable=False, server_default=sa.func.siyu_now()),
    )
    op.create_table(
        "earning_rule_versions",
        sa.Column("rule_id", sa.BigInteger, sa.ForeignKey("earning_rules.id"), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("parameters", JSONB, nullable=False),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("valid_from", TIME),
        sa.Column("valid_until", TIME),
        sa.Column("in_force_from", TIME, nullable=False),
        sa.Column("in_force_until", TIME),
    )
    op.create_index(
        "ix_earning_rule_versions_rule_id",
        "earning_rule_versions",
        ["rule_id"],
        unique=True,
        postgresql_where=sa.text("in_force_until IS NULL"),
    )


def downgrade() -> None:
    """Undo."""
    for table in ("earning_rule_versions", "earning_rules", "ledger_checkpoint_heads", "ledger_checkpoints"):
        op.drop_table(table)
    for function in DROPPED[:4]:
        op.execute(f"DROP FUNCTION {function}")
    for table in ("point_accounts", "lot_uses", "point_lots", "ledger_entries", "ledger_keys", "ledger_transactions"):
        op.drop_table(table)
    for function in DROPPED[4:]:
        op.execute(f"DROP FUNCTION {function}")
