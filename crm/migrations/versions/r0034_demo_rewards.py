"""Mark coupons and rewards of the demo brand, so that they can be removed with it."""

import sqlalchemy as sa
from alembic import op

revision = "r0034"
down_revision = "r0033"
branch_labels = None
depends_on = None

_TABLES = ("coupons", "rewards")


def upgrade() -> None:
    """Apply."""
    for table in _TABLES:
        op.add_column(table, sa.Column("is_demo", sa.Boolean, nullable=False, server_default="false"))


def downgrade() -> None:
    """Undo."""
    for table in _TABLES:
        op.drop_column(table, "is_demo")
