"""Tables of members."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "r0005"
down_revision = "r0004"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
NOW = sa.func.siyu_now()


def upgrade() -> None:
    """Apply."""
    _members()
    _identities()
    op.create_table(
        "attribute_definitions",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("label", JSONB, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("choices", JSONB, nullable=False, server_default="[]"),
        sa.Column("is_personal", sa.Boolean, nullable=False, server_default="false"),
        sa.Column("is_archived", sa.Boolean, nullable=False, server_default="false"),
        sa.Column("created_at", TIME, nullable=False, server_default=NOW),
    )
    _merging()


def _members() -> None:
    op.create_table(
        "members",
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), primary_key=True),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("locale", sa.Text, nullable=False),
        sa.Column("time_zone", sa.Text),
        sa.Column("next_time_zone", sa.Text),
        sa.Column("zone_changes_at", TIME),
        sa.Column("signed_up_at", TIME),
        sa.Column("birthday", sa.Date),
        sa.Column("phone_sealed", sa.LargeBinary),
        sa.Column("phone_index", sa.LargeBinary),
        sa.Column("phone_tail_index", sa.LargeBinary),
        sa.Column("is_phone_verified", sa.Boolean, nullable=False, server_default="false"),
        sa.Column("email_sealed", sa.LargeBinary),
        sa.Column("email_index", sa.LargeBinary),
        sa.Column("attributes", JSONB, nullable=False, server_default="{}"),
        sa.Column("personal_sealed", sa.LargeBinary),
        sa.Column("status", sa.Text, nullable=False, server_default="active"),
        sa.Column("merged_into_id", sa.BigInteger),
        sa.Column("first_source_id", sa.BigInteger),
        sa.Column("last_source_id", sa.BigInteger),
        sa.Column("is_demo", sa.Boolean, nullable=False, server_default="false"),
        sa.Column("created_at", TIME, nullable=False, server_default=NOW),
        sa.Column("last_seen_at", TIME, nullable=False, server_default=NOW),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        sa.ForeignKeyConstraint(["merged_into_id"], ["members.id"], name="fk_members_merged_into_id"),
        sa.CheckConstraint("status IN ('active', 'merged', 'erased')", name="ck_members_status"),
        sa.CheckConstraint("(status = 'merged') = (merged_into_id IS NOT NULL)", name="ck_members_merged_into"),
    )
    _trigrams("members", "display_name")
    for column in ("phone_index", "phone_tail_index", "email_index", "merged_into_id", "first_source_id"):
        op.create_index(f"ix_members_{column}", "members", [column])


def _identities() -> None:
    op.create_table(
        "identities",
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), primary_key=True),
        sa.Column("member_id", sa.BigInteger, nullable=False),
        sa.Column("bot_id", sa.BigInteger, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("username", sa.Text),
        sa.Column("is_reachable", sa.Boolean, nullable=False, server_default="true"),
        sa.Column("unreachable_reason", sa.Text),
        sa.Column("last_seen_at", TIME, nullable=False, server_default=NOW),
        sa.Column("created_at", TIME, nullable=False, server_default=NOW),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_identities_member_id"),
        sa.ForeignKeyConstraint(["bot_id"], ["bots.id"], name="fk_identities_bot_id"),
        sa.UniqueConstraint("bot_id", "address", name="uq_identities_bot_id_address"),
    )
    op.create_index("ix_identities_member_id", "identities", ["member_id"])
    op.create_index("ix_identities_address", "identities", ["address"])
    _trigrams("identities", "display_name")
    _trigrams("identities", "username")


def _trigrams(table: str, column: str) -> None:
    op.create_index(
        f"ix_{table}_{column}", table, [column], postgresql_using="gin", postgresql_ops={column: "gin_trgm_ops"}
    )


def _merging() -> None:
    op.create_table(
        "member_merges",
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), primary_key=True),
        sa.Column("keep_id", sa.BigInteger, nullable=False),
        sa.Column("drop_id", sa.BigInteger, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("records_sealed", sa.LargeBinary, nullable=False),
        sa.Column("merged_at", TIME, nullable=False, server_default=NOW),
        sa.Column("undone_at", TIME),
        sa.Column("undone_by", sa.Text),
        sa.ForeignKeyConstraint(["keep_id"], ["members.id"], name="fk_member_merges_keep_id"),
        sa.ForeignKeyConstraint(["drop_id"], ["members.id"], name="fk_member_merges_drop_id"),
    )
    op.create_index("ix_member_merges_keep_id", "member_merges", ["keep_id"])
    op.create_index("ix_member_merges_drop_id", "member_merges", ["drop_id"])
    op.create_table(
        "link_codes",
        sa.Column("code_index", sa.LargeBinary, primary_key=True),
        sa.Column("member_id", sa.BigInteger, nullable=False),
        sa.Column("identity_id", sa.BigInteger, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_link_codes_member_id"),
        sa.ForeignKeyConstraint(["identity_id"], ["identities.id"], name="fk_link_codes_identity_id"),
    )
    op.create_index("ix_link_codes_member_id", "link_codes", ["member_id"])
    op.create_index("ix_link_codes_expires_at", "link_codes", ["expires_at"])
    op.create_table(
        "link_attempts",
        sa.Column("identity_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("window_ends_at", TIME, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(
            ["identity_id"], ["identities.id"], name="fk_link_attempts_identity_id", ondelete="CASCADE"
        ),
    )


def downgrade() -> None:
    """Undo."""
    for table in ("link_attempts", "link_codes", "member_merges", "attribute_definitions", "identities", "members"):
        op.drop_table(table)
