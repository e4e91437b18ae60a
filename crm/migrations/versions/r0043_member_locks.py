"""Lock the profile before everything else of a member, so that no two transactions wait for each other in a ring."""

from alembic import op

from crm.migrations import lock_functions

revision = "r0043"
down_revision = "r0042"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    for function in lock_functions.FUNCTIONS:
        op.execute(function)


def downgrade() -> None:
    """Undo."""
    for function in lock_functions.BEFORE:
        op.execute(function)
    for name in lock_functions.DROPPED:
        op.execute(f"DROP FUNCTION {name}")
