"""Who holds the lease of an open reply, so that what a killed process held is free at once."""

import sqlalchemy as sa
from alembic import op

revision = "r0030"
down_revision = "r0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("delivery_replies", sa.Column("lease_owner", sa.Integer))


def downgrade() -> None:
    """Undo."""
    op.drop_column("delivery_replies", "lease_owner")
