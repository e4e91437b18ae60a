"""Members enter journeys anew for each cause, shipped journeys, days of the year by index, runs that tell ahead."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "r0039"
down_revision = "r0038"
branch_labels = None
depends_on = None

BIRTHDAYS = sa.text("(EXTRACT(month FROM birthday) * 100 + EXTRACT(day FROM birthday))")
SIGN_UPS = sa.text(
    "(EXTRACT(month FROM timezone('UTC', signed_up_at)) * 100 + EXTRACT(day FROM timezone('UTC', signed_up_at)))"
)
FIRST_WAYS = """
DELETE FROM enrollments WHERE id NOT IN (SELECT min(id) FROM enrollments GROUP BY journey_id, member_id)
"""


def upgrade() -> None:
    """Apply."""
    op.add_column("journeys", sa.Column("shipped_key", sa.Text))
    op.create_unique_constraint("uq_journeys_shipped_key", "journeys", ["shipped_key"])
    op.add_column("enrollments", sa.Column("cause", sa.Text, nullable=False, server_default=""))
    op.add_column("enrollments", sa.Column("occurrence", sa.Integer, nullable=False, server_default="0"))
    op.add_column("enrollments", sa.Column("facts", JSONB, nullable=False, server_default="{}"))
    op.drop_constraint("uq_enrollments_journey_id_member_id", "enrollments")
    op.create_unique_constraint(
        "uq_enrollments_journey_id_member_id_cause", "enrollments", ["journey_id", "member_id", "cause"]
    )
    op.create_index(
        "ix_members_birthday_in_year", "members", [BIRTHDAYS], postgresql_where=sa.text("birthday IS NOT NULL")
    )
    op.create_index(
        "ix_profiles_sign_up_in_year", "profiles", [SIGN_UPS], postgresql_where=sa.text("signed_up_at IS NOT NULL")
    )
    op.create_table(
        "ahead_runs",
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("days", sa.SmallInteger, autoincrement=False, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("reached", sa.Text, server_default="", nullable=False),
        sa.Column("is_done", sa.Boolean, server_default="false", nullable=False),
        sa.PrimaryKeyConstraint("subject", "days", "day", name="pk_ahead_runs"),
    )


def downgrade() -> None:
    """Undo; of members who entered a journey more than once the first way stays."""
    op.drop_table("ahead_runs")
    op.drop_index("ix_profiles_sign_up_in_year")
    op.drop_index("ix_members_birthday_in_year")
    op.execute(FIRST_WAYS)
    op.drop_constraint("uq_enrollments_journey_id_member_id_cause", "enrollments")
    op.create_unique_constraint("uq_enrollments_journey_id_member_id", "enrollments", ["journey_id", "member_id"])
    for column in ("facts", "occurrence", "cause"):
        op.drop_column("enrollments", column)
    op.drop_constraint("uq_journeys_shipped_key", "journeys")
    op.drop_column("journeys", "shipped_key")
