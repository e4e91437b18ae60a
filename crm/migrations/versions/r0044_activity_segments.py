"""Activities for members of certain segments."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "r0044"
down_revision = "r0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.add_column("activities", sa.Column("segment_ids", JSONB, nullable=False, server_default="[]"))


def downgrade() -> None:
    """Undo; activities that were for some are for everybody."""
    op.drop_column("activities", "segment_ids")
