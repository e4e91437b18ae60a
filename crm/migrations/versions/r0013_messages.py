"""Operators' messages and their wording of conversations."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "r0013"
down_revision = "r0012"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "message_templates",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("content", JSONB, nullable=False),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        sa.Column("created_at", TIME, nullable=False, server_default=sa.text("siyu_now()")),
        sa.Column("changed_at", TIME, nullable=False),
        sa.Column("archived_at", TIME),
    )
    op.create_table(
        "flow_texts",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("locale", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("flow_texts")
    op.drop_table("message_templates")
