"""Lock a member before their first account is made, so that a merge and a first posting cannot wait for each other."""

from alembic import op

from crm.migrations import ledger_functions, points_functions

revision = "r0037"
down_revision = "r0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.execute(ledger_functions.LOCK_ACCOUNT)


def downgrade() -> None:
    """Undo."""
    op.execute(points_functions.LOCK_ACCOUNT.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))
