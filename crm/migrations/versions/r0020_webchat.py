"""Tables of webchat."""

import sqlalchemy as sa
from alembic import op

from crm.db.partitions import attach_partitions

revision = "r0020"
down_revision = "r0019"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
TABLE = "webchat_messages"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        TABLE,
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("at", TIME, primary_key=True),
        sa.Column("bot_id", sa.BigInteger, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("direction", sa.Text, nullable=False),
        sa.Column("frame_id", sa.Text),
        sa.Column("has_menu", sa.Boolean, nullable=False, server_default="false"),
        sa.Column("revision", sa.Integer, nullable=False, server_default="0"),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("changed_at", TIME, nullable=False, server_default=sa.text("clock_timestamp()")),
        sa.Column("seen_at", TIME),
        sa.Column("confirmed_at", TIME),
        postgresql_partition_by="RANGE (at)",
    )
    op.create_index("ix_webchat_messages_bot_id_address_at", TABLE, ["bot_id", "address", "at"])
    op.create_index("ix_webchat_messages_changed_at", TABLE, ["changed_at"])
    op.create_index(
        "ix_webchat_messages_unconfirmed",
        TABLE,
        ["bot_id", "address"],
        postgresql_where=sa.text("direction = 'out' AND confirmed_at IS NULL"),
    )
    attach_partitions(op.get_bind(), TABLE)


def downgrade() -> None:
    """Undo."""
    op.drop_table(TABLE)
