"""Let a posting look at the clock once, so that no lot that runs out meanwhile is counted and then not taken."""

from alembic import op

from crm.migrations import moment_functions

revision = "r0046"
down_revision = "r0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    _put(moment_functions.FUNCTIONS)


def downgrade() -> None:
    """Undo."""
    _put(moment_functions.BEFORE)


def _put(functions: tuple[str, ...]) -> None:
    for name in moment_functions.DROPPED:
        op.execute(f"DROP FUNCTION {name}")
    for function in functions:
        op.execute(function)
