"""What the member does to have pending points sooner."""

import sqlalchemy as sa
from alembic import op

revision = "r0042"
down_revision = "r0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("pending_points", sa.Column("act", sa.Text))


def downgrade() -> None:
    """Undo; what waits for an act waits to be activated by hand."""
    op.drop_column("pending_points", "act")
