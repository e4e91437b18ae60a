"""${message}"""

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. Add nullable, backfill, then enforce; every lock waits two seconds at most."""
    op.execute("SET lock_timeout = '2s'")
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """Undo."""
    op.execute("SET lock_timeout = '2s'")
    ${downgrades if downgrades else "pass"}
