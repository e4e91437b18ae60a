"""Mark draws, missions, badges and programmes of the demo brand, so that they can be removed with it."""

import sqlalchemy as sa
from alembic import op

revision = "r0041"
down_revision = "r0040"
branch_labels = None
depends_on = None

_TABLES = ("draws", "missions", "badges", "referral_programmes", "tier_programmes")


def upgrade() -> None:
    """Apply."""
    for table in _TABLES:
        op.add_column(table, sa.Column("is_demo", sa.Boolean, nullable=False, server_default="false"))


def downgrade() -> None:
    """Undo."""
    for table in _TABLES:
        op.drop_column(table, "is_demo")
