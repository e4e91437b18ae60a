"""Operators, their sessions, one-time links, chats, API keys and idempotency keys."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "r0008"
down_revision = "r0007"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger, sa.Identity(always=False), primary_key=True)


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, TIME, nullable=nullable)


def _operator(*, primary_key: bool = False, nullable: bool = False) -> sa.Column[int]:
    owner = sa.ForeignKey("operators.id", ondelete="CASCADE")
    return sa.Column("operator_id", sa.BigInteger, owner, primary_key=primary_key, nullable=nullable)


def upgrade() -> None:
    """Apply."""
    _operators()
    _sessions_and_links()
    _keys()
    _chats()


def _operators() -> None:
    op.create_table(
        "operators",
        _id(),
        sa.Column("email_sealed", sa.LargeBinary, nullable=False),
        sa.Column("email_index", sa.LargeBinary, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("locale", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False, server_default=sa.func.siyu_now()),
        _time("last_signed_in_at", nullable=True),
        sa.UniqueConstraint("email_index", name="uq_operators_email_index"),
    )


def _sessions_and_links() -> None:
    op.create_table(
        "operator_sessions",
        _id(),
        sa.Column("token_hash", sa.LargeBinary, nullable=False),
        _operator(),
        *(_time(name) for name in ("created_at", "last_seen_at", "confirmed_at", "expires_at")),
        sa.Column("ip", sa.Text, nullable=False),
        sa.Column("user_agent", sa.Text, nullable=False),
        sa.UniqueConstraint("token_hash", name="uq_operator_sessions_token_hash"),
    )
    op.create_index("ix_operator_sessions_operator_id", "operator_sessions", ["operator_id"])
    op.create_index("ix_operator_sessions_expires_at", "operator_sessions", ["expires_at"])
    op.create_table(
        "operator_links",
        _id(),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("token_hash", sa.LargeBinary, nullable=False),
        sa.Column("email_sealed", sa.LargeBinary),
        sa.Column("role", sa.Text),
        _operator(nullable=True),
        *(_time(name) for name in ("created_at", "expires_at")),
        _time("used_at", nullable=True),
        sa.UniqueConstraint("token_hash", name="uq_operator_links_token_hash"),
    )
    op.create_index("ix_operator_links_operator_id", "operator_links", ["operator_id"])
    op.create_index("ix_operator_links_expires_at", "operator_links", ["expires_at"])


def _keys() -> None:
    op.create_table(
        "api_keys",
        _id(),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("hint", sa.Text, nullable=False),
        sa.Column("token_hash", sa.LargeBinary, nullable=False),
        sa.Column("scopes", ARRAY(sa.Text), nullable=False),
        sa.Column("allowed_ips", ARRAY(sa.Text), nullable=False),
        sa.Column("created_by", sa.BigInteger, sa.ForeignKey("operators.id")),
        _time("created_at"),
        _time("expires_at", nullable=True),
        _time("last_used_at", nullable=True),
        sa.Column("last_used_ip", sa.Text),
        _time("revoked_at", nullable=True),
        sa.UniqueConstraint("token_hash", name="uq_api_keys_token_hash"),
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("principal", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("operation", sa.Text, nullable=False),
        sa.Column("body_hash", sa.LargeBinary, nullable=False),
        sa.Column("response_status", sa.SmallInteger, nullable=False),
        sa.Column("response_type", sa.Text, nullable=False),
        sa.Column("response_sealed", sa.LargeBinary, nullable=False),
        _time("created_at"),
    )
    op.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"])


def _chats() -> None:
    identity = sa.ForeignKey("identities.id", ondelete="CASCADE")
    op.create_table(
        "operator_identities",
        _operator(primary_key=True),
        sa.Column("identity_id", sa.BigInteger, identity, primary_key=True),
        _time("linked_at"),
    )
    op.create_index("ix_operator_identities_identity_id", "operator_identities", ["identity_id"])
    op.create_table(
        "operator_chat_codes",
        _operator(primary_key=True),
        sa.Column("code_hash", sa.LargeBinary, nullable=False),
        _time("expires_at"),
        sa.UniqueConstraint("code_hash", name="uq_operator_chat_codes_code_hash"),
    )
    op.create_index("ix_operator_chat_codes_expires_at", "operator_chat_codes", ["expires_at"])


def downgrade() -> None:
    """Undo."""
    for table in (
        "operator_chat_codes",
        "operator_identities",
        "idempotency_keys",
        "api_keys",
        "operator_links",
        "operator_sessions",
        "operators",
    ):
        op.drop_table(table)
