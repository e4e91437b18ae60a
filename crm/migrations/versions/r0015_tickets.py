"""Tables of tickets."""

import sqlalchemy as sa
from alembic import op

revision = "r0015"
down_revision = "r0014"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "tickets",
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), primary_key=True),
        sa.Column("member_id", sa.BigInteger, sa.ForeignKey("members.id"), nullable=False),
        sa.Column("identity_id", sa.BigInteger, sa.ForeignKey("identities.id")),
        sa.Column("status", sa.Text, nullable=False, server_default="open"),
        sa.Column("note", sa.LargeBinary),
        sa.Column("created_at", TIME, nullable=False, server_default=sa.text("siyu_now()")),
        sa.Column("last_message_at", TIME, nullable=False),
        sa.Column("answers", sa.Integer, nullable=False, server_default="0"),
        sa.Column("answered_at", TIME),
        sa.Column("closed_at", TIME),
        sa.Column("closed_by", sa.Text),
    )
    op.create_index("ix_tickets_member_id", "tickets", ["member_id"])
    op.create_index(
        "uq_tickets_open", "tickets", ["member_id"], unique=True, postgresql_where=sa.text("status = 'open'")
    )
    op.create_index("ix_tickets_status_last_message_at", "tickets", ["status", "last_message_at"])


def downgrade() -> None:
    """Undo."""
    op.drop_table("tickets")
