"""Tables of bots."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "r0004"
down_revision = "r0003"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "bots",
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), primary_key=True),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("username", sa.Text),
        sa.Column("status", sa.Text, nullable=False, server_default="active"),
        sa.Column("stopped_reason", sa.Text),
        sa.Column("is_demo", sa.Boolean, nullable=False, server_default="false"),
        sa.Column("mode", sa.Text, nullable=False),
        sa.Column("bulk_rate", sa.Float, nullable=False, server_default="25"),
        sa.Column("bulk_paused_until", TIME),
        sa.Column("settings", JSONB, nullable=False, server_default="{}"),
        sa.Column("token_sealed", sa.LargeBinary),
        sa.Column("token_index", sa.LargeBinary),
        sa.Column("path_sealed", sa.LargeBinary, nullable=False),
        sa.Column("path_index", sa.LargeBinary, nullable=False),
        sa.Column("webhook_secret_sealed", sa.LargeBinary, nullable=False),
        sa.Column("created_at", TIME, nullable=False, server_default=sa.func.siyu_now()),
        sa.UniqueConstraint("token_index", name="uq_bots_token_index"),
        sa.UniqueConstraint("path_index", name="uq_bots_path_index"),
        sa.CheckConstraint("status IN ('active', 'stopped')", name="ck_bots_status"),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("bots")
