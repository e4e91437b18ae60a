"""Tables of imports."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "r0019"
down_revision = "r0018"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "imports",
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), primary_key=True),
        sa.Column("filename", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.LargeBinary, nullable=False),
        sa.Column("file_sealed", sa.LargeBinary),
        sa.Column("encoding", sa.Text, nullable=False),
        sa.Column("mapping", JSONB, nullable=False),
        sa.Column("tags", JSONB, nullable=False, server_default="[]"),
        sa.Column("is_dry_run", sa.Boolean, nullable=False, server_default="false"),
        sa.Column("status", sa.Text, nullable=False, server_default="queued"),
        sa.Column("rows_total", sa.Integer, nullable=False),
        sa.Column("rows_done", sa.Integer, nullable=False, server_default="0"),
        sa.Column("rows_created", sa.Integer, nullable=False, server_default="0"),
        sa.Column("rows_updated", sa.Integer, nullable=False, server_default="0"),
        sa.Column("rows_failed", sa.Integer, nullable=False, server_default="0"),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("created_at", TIME, nullable=False, server_default=sa.func.siyu_now()),
        sa.Column("finished_at", TIME),
    )
    op.create_index(
        "ix_imports_fingerprint",
        "imports",
        ["fingerprint"],
        unique=True,
        postgresql_where=sa.text("is_dry_run = false"),
    )
    op.create_table(
        "import_problems",
        sa.Column("import_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("row", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name="fk_import_problems_import_id", ondelete="CASCADE"),
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("import_problems")
    op.drop_table("imports")
