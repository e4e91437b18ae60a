"""Activities and registrations for them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "r0040"
down_revision = "r0039"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    _activities()
    _activity_registrations()


def _activities() -> None:
    op.create_table(
        "activities",
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), nullable=False),
        sa.Column("name", JSONB, nullable=False),
        sa.Column("description", JSONB, server_default="{}", nullable=False),
        sa.Column("place", JSONB, server_default="{}", nullable=False),
        sa.Column("photo_media_id", sa.Uuid),
        sa.Column("starts_at", TIME, nullable=False),
        sa.Column("ends_at", TIME, nullable=False),
        sa.Column("opens_at", TIME),
        sa.Column("closes_at", TIME),
        sa.Column("capacity", sa.Integer),
        sa.Column("has_waiting_list", sa.Boolean, server_default="true", nullable=False),
        sa.Column("points", sa.BigInteger, server_default="0", nullable=False),
        sa.Column("tiers", JSONB, server_default="[]", nullable=False),
        sa.Column("cancel_hours", sa.Integer, server_default="24", nullable=False),
        sa.Column("reminder_hours", JSONB, server_default="[]", nullable=False),
        sa.Column("survey_id", sa.BigInteger),
        sa.Column("feedback_hours", sa.Integer, server_default="2", nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("door_code", sa.Text, nullable=False),
        sa.Column("published_at", TIME),
        sa.Column("closed_at", TIME),
        sa.Column("created_at", TIME, server_default=sa.text("siyu_now()"), nullable=False),
        sa.ForeignKeyConstraint(["photo_media_id"], ["media.id"], name="fk_activities_photo_media_id"),
        sa.ForeignKeyConstraint(["survey_id"], ["surveys.id"], name="fk_activities_survey_id"),
        sa.PrimaryKeyConstraint("id", name="pk_activities"),
    )
    op.create_index("ix_activities_status_starts_at", "activities", ["status", "starts_at"])


def _activity_registrations() -> None:
    op.create_table(
        "activity_registrations",
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), nullable=False),
        sa.Column("activity_id", sa.BigInteger, nullable=False),
        sa.Column("member_id", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("attempt", sa.Integer, server_default="1", nullable=False),
        sa.Column("turn", sa.BigInteger, nullable=False),
        sa.Column("points", sa.BigInteger, server_default="0", nullable=False),
        sa.Column("transaction_id", sa.Uuid),
        sa.Column("registered_at", TIME, nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.Column("changed_by", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("due_at", TIME),
        sa.Column("asked_at", TIME),
        sa.ForeignKeyConstraint(["activity_id"], ["activities.id"], name="fk_activity_registrations_activity_id"),
        sa.PrimaryKeyConstraint("id", name="pk_activity_registrations"),
        sa.UniqueConstraint("activity_id", "code", name="uq_activity_registrations_activity_id_code"),
        sa.UniqueConstraint("activity_id", "member_id", name="uq_activity_registrations_activity_id_member_id"),
    )
    op.create_index(
        "ix_activity_registrations_activity_id_status_turn", "activity_registrations", ["activity_id", "status", "turn"]
    )
    op.create_index(
        "ix_activity_registrations_due_at",
        "activity_registrations",
        ["due_at"],
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index("ix_activity_registrations_member_id", "activity_registrations", ["member_id"])


def downgrade() -> None:
    """Undo."""
    for table in ("activity_registrations", "activities"):
        op.drop_table(table)
