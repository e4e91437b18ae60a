"""Tables of inbox, conversations."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from crm.db.partitions import attach_partitions

revision = "r0009"
down_revision = "r0008"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
BIG_ID = sa.Identity(always=False)
# Inside a volatile function each statement sees what was committed before it, so the lock and what it guards are
# read in one round trip.
TAKE = """
CREATE FUNCTION siyu_take_update(wanted_bot bigint, wanted_chat text)
RETURNS TABLE (queue_position bigint, id uuid, received_at timestamptz, payload bytea, attempts smallint,
               due_at timestamptz, at timestamptz)
LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(wanted_chat, wanted_bot));
    RETURN QUERY
        SELECT q.position, u.id, u.received_at, u.payload, q.attempts, q.due_at, siyu_now()
        FROM inbound_queue q JOIN inbound_updates u ON u.id = q.update_id AND u.received_at = q.received_at
        WHERE q.bot_id = wanted_bot AND q.chat_key = wanted_chat ORDER BY q.position LIMIT 1;
END $$
"""


def upgrade() -> None:
    """Apply."""
    _inbox()
    _conversations()
    _transcript()
    op.create_table(
        "keywords",
        sa.Column("id", sa.BigInteger, BIG_ID, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("words", ARRAY(sa.Text), nullable=False),
        sa.Column("match", sa.Text, nullable=False, server_default="exact"),
        sa.Column("priority", sa.Integer, nullable=False, server_default="0"),
        sa.Column("tag", sa.Text),
        sa.Column("flow", sa.Text),
        sa.Column("reply", JSONB),
        sa.Column("is_active", sa.Boolean, nullable=False, server_default="true"),
        sa.Column("created_at", TIME, nullable=False, server_default=sa.text("siyu_now()")),
    )


def _inbox() -> None:
    op.create_table(
        "inbound_keys",
        sa.Column("bot_id", sa.BigInteger, primary_key=True),
        sa.Column("update_key", sa.Text, primary_key=True),
        sa.Column("received_at", TIME, nullable=False),
    )
    op.create_index("ix_inbound_keys_received_at", "inbound_keys", ["received_at"])
    op.create_table(
        "inbound_updates",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("received_at", TIME, primary_key=True),
        sa.Column("bot_id", sa.BigInteger, nullable=False),
        sa.Column("chat_key", sa.Text, nullable=False),
        sa.Column("update_key", sa.Text, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
        postgresql_partition_by="RANGE (received_at)",
    )
    attach_partitions(op.get_bind(), "inbound_updates")
    op.create_table(
        "inbound_queue",
        sa.Column("position", sa.BigInteger, BIG_ID, primary_key=True),
        sa.Column("update_id", sa.Uuid, nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("bot_id", sa.BigInteger, nullable=False),
        sa.Column("chat_key", sa.Text, nullable=False),
        sa.Column("attempts", sa.SmallInteger, nullable=False, server_default="0"),
        sa.Column("due_at", TIME, nullable=False),
    )
    op.create_index("ix_inbound_queue_bot_id_chat_key_position", "inbound_queue", ["bot_id", "chat_key", "position"])
    op.create_index("ix_inbound_queue_due_at", "inbound_queue", ["due_at"])
    op.create_table(
        "inbound_dead_letters",
        sa.Column("update_id", sa.Uuid, primary_key=True),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("bot_id", sa.BigInteger, nullable=False),
        sa.Column("chat_key", sa.Text, nullable=False),
        sa.Column("attempts", sa.SmallInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("died_at", TIME, nullable=False),
        sa.Column("replayed_at", TIME),
    )
    op.create_index("ix_inbound_dead_letters_died_at", "inbound_dead_letters", ["died_at"])
    op.execute(TAKE)


def _conversations() -> None:
    op.create_table(
        "conversations",
        sa.Column("id", sa.BigInteger, BIG_ID, primary_key=True),
        sa.Column("identity_id", sa.BigInteger, sa.ForeignKey("identities.id"), nullable=False),
        sa.Column("bot_id", sa.BigInteger, sa.ForeignKey("bots.id"), nullable=False),
        sa.Column("chat_key", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False, server_default="0"),
        sa.Column("runs_started", sa.Integer, nullable=False, server_default="0"),
        sa.Column("runs", JSONB, nullable=False, server_default="[]"),
        sa.Column("changed_at", TIME, nullable=False, server_default=sa.text("siyu_now()")),
        sa.UniqueConstraint("identity_id"),
    )
    op.create_table(
        "conversation_journal",
        sa.Column("conversation_id", sa.BigInteger, sa.ForeignKey("conversations.id"), primary_key=True),
        sa.Column("run", sa.Integer, primary_key=True),
        sa.Column("path", sa.Text, primary_key=True),
        sa.Column("occurrence", sa.Integer, primary_key=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("is_effect", sa.Boolean, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "conversation_wakes",
        sa.Column("id", sa.BigInteger, BIG_ID, primary_key=True),
        sa.Column("conversation_id", sa.BigInteger, sa.ForeignKey("conversations.id"), nullable=False),
        sa.Column("run", sa.Integer, nullable=False),
        sa.Column("step", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("attempts", sa.SmallInteger, nullable=False, server_default="0"),
        sa.Column("value", sa.LargeBinary),
        sa.UniqueConstraint("conversation_id", "run", "step", "kind"),
    )
    op.create_index("ix_conversation_wakes_due_at", "conversation_wakes", ["due_at"])


def _transcript() -> None:
    op.create_table(
        "conversation_messages",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("at", TIME, primary_key=True),
        sa.Column("identity_id", sa.BigInteger, nullable=False),
        sa.Column("direction", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("operator_id", sa.BigInteger),
        sa.Column("is_cut", sa.Boolean, nullable=False, server_default="false"),
        sa.Column("body", sa.LargeBinary, nullable=False),
        postgresql_partition_by="RANGE (at)",
    )
    op.create_index("ix_conversation_messages_identity_id_at", "conversation_messages", ["identity_id", "at"])
    attach_partitions(op.get_bind(), "conversation_messages")


def downgrade() -> None:
    """Undo."""
    op.drop_table("keywords")
    op.drop_table("conversation_messages")
    op.drop_table("conversation_wakes")
    op.drop_table("conversation_journal")
    op.drop_table("conversations")
    op.execute("DROP FUNCTION siyu_take_update(bigint, text)")
    op.drop_table("inbound_dead_letters")
    op.drop_table("inbound_queue")
    op.drop_table("inbound_updates")
    op.drop_table("inbound_keys")
