"""When bots were listened to, and which chats were asked to tap again after an outage."""

import sqlalchemy as sa
from alembic import op

revision = "r0028"
down_revision = "r0027"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "inbound_receptions",
        sa.Column("bot_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("heard_at", TIME, nullable=False),
        sa.Column("outage_since", TIME),
        sa.Column("outage_until", TIME),
    )
    op.add_column("conversations", sa.Column("taps_known_until", TIME))


def downgrade() -> None:
    """Undo."""
    op.drop_column("conversations", "taps_known_until")
    op.drop_table("inbound_receptions")
