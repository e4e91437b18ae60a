"""Post several earnings as a set; keep the plans of the ledger's small functions; no parameter for one lot any more."""

from alembic import op

from crm.migrations import ledger_functions, ledger_sets, points_functions
from crm.migrations.versions.r0001_foundation import NOW

revision = "r0045"
down_revision = "r0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    for name in ledger_sets.CHANGED:
        op.execute(f"DROP FUNCTION {name}")
    for function in ledger_sets.FUNCTIONS:
        op.execute(function)


def downgrade() -> None:
    """Undo."""
    op.execute("DROP FUNCTION siyu_post_lines")
    op.execute("DROP TYPE siyu_posting")
    for name in ledger_sets.CHANGED:
        op.execute(f"DROP FUNCTION {name}")
    op.execute(points_functions.USE_LOTS)
    op.execute(ledger_functions.POST)
    for function in (points_functions.ENTRY_HASH, ledger_functions.POST_SET):
        op.execute(function.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))
    op.execute(NOW)
