"""Journeys, their versions and enrollments."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "r0018"
down_revision = "r0017"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
NOW = sa.text("siyu_now()")


def _foreign(table: str, column: str, target: str, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [target], name=f"fk_{table}_{column}", ondelete=ondelete)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "journeys",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False, server_default="draft"),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        sa.Column("created_at", TIME, nullable=False, server_default=NOW),
        sa.Column("activated_at", TIME),
        sa.Column("archived_at", TIME),
    )
    op.create_table(
        "journey_versions",
        sa.Column("journey_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("trigger", JSONB, nullable=False),
        sa.Column("graph", JSONB, nullable=False),
        sa.Column("created_at", TIME, nullable=False, server_default=NOW),
        _foreign("journey_versions", "journey_id", "journeys.id", ondelete="CASCADE"),
    )
    op.create_table(
        "enrollments",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("journey_id", sa.BigInteger, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("member_id", sa.BigInteger, nullable=False),
        sa.Column("node", sa.Text),
        sa.Column("due_at", TIME),
        sa.Column("outcome", sa.Text),
        sa.Column("entered_at", TIME, nullable=False, server_default=NOW),
        sa.Column("ended_at", TIME),
        sa.UniqueConstraint("journey_id", "member_id", name="uq_enrollments_journey_id_member_id"),
        _foreign("enrollments", "journey_id", "journeys.id"),
        _foreign("enrollments", "member_id", "members.id"),
    )
    op.create_index("ix_enrollments_due_at", "enrollments", ["due_at"], postgresql_where=sa.text("due_at IS NOT NULL"))
    op.create_index("ix_enrollments_member_id", "enrollments", ["member_id"])


def downgrade() -> None:
    """Undo."""
    for table in ("enrollments", "journey_versions", "journeys"):
        op.drop_table(table)
