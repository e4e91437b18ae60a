"""Tables of check-ins, sign-ups and surveys."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from crm.db.partitions import attach_partitions

revision = "r0012"
down_revision = "r0011"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    _check_ins()
    _sign_ups()
    _surveys()
    _responses()


def _check_ins() -> None:
    op.create_table(
        "check_ins",
        sa.Column("member_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("local_date", sa.Date, primary_key=True),
        sa.Column("checked_in_at", TIME, nullable=False),
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("streak", sa.Integer, nullable=False),
        sa.Column("channel", sa.Text),
        postgresql_partition_by="RANGE (local_date)",
    )
    op.create_index("ix_check_ins_local_date_member_id", "check_ins", ["local_date", "member_id"])
    attach_partitions(op.get_bind(), "check_ins")
    op.create_table(
        "check_in_streaks",
        sa.Column("member_id", sa.BigInteger, sa.ForeignKey("members.id"), primary_key=True, autoincrement=False),
        sa.Column("last_on", sa.Date, nullable=False),
        sa.Column("last_at", TIME, nullable=False),
        sa.Column("streak", sa.Integer, nullable=False),
        sa.Column("best", sa.Integer, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        postgresql_with={"fillfactor": "80"},
    )


def _sign_ups() -> None:
    op.create_table(
        "sign_ups",
        sa.Column("member_id", sa.BigInteger, sa.ForeignKey("members.id"), primary_key=True, autoincrement=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("source_id", sa.BigInteger),
        sa.Column("terms_version", sa.Text, nullable=False),
        sa.Column("has_agreed_to_news", sa.Boolean, nullable=False),
        sa.Column("event_id", sa.Uuid, nullable=False),
        sa.Column("event_at", TIME, nullable=False),
        sa.Column("completed_at", TIME, nullable=False),
    )


def _surveys() -> None:
    op.create_table(
        "surveys",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("key", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False, server_default="draft"),
        sa.Column("is_repeatable", sa.Boolean, nullable=False, server_default="false"),
        sa.Column("draft", JSONB, nullable=False),
        sa.Column("published_version", sa.Integer),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        sa.Column("created_at", TIME, nullable=False, server_default=sa.func.siyu_now()),
        sa.Column("changed_at", TIME, nullable=False, server_default=sa.func.siyu_now()),
        sa.CheckConstraint("status IN ('draft', 'published', 'archived')", name=op.f("ck_surveys_status")),
    )
    op.create_table(
        "survey_versions",
        sa.Column("survey_id", sa.BigInteger, sa.ForeignKey("surveys.id"), primary_key=True, autoincrement=False),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("definition", JSONB, nullable=False),
        sa.Column("published_at", TIME, nullable=False),
    )


def _responses() -> None:
    op.create_table(
        "survey_responses",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("survey_id", sa.BigInteger, sa.ForeignKey("surveys.id"), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("member_id", sa.BigInteger, sa.ForeignKey("members.id"), nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("started_at", TIME, nullable=False),
        sa.Column("completed_at", TIME),
        sa.Column("nps", sa.SmallInteger),
        sa.UniqueConstraint(
            "survey_id", "member_id", "attempt", name=op.f("uq_survey_responses_survey_id_member_id_attempt")
        ),
    )
    op.create_index("ix_survey_responses_member_id", "survey_responses", ["member_id"])
    op.create_table(
        "survey_answers",
        sa.Column("response_id", sa.BigInteger, sa.ForeignKey("survey_responses.id"), primary_key=True),
        sa.Column("question", sa.Text, primary_key=True),
        sa.Column("survey_id", sa.BigInteger, sa.ForeignKey("surveys.id"), nullable=False),
        sa.Column("member_id", sa.BigInteger, sa.ForeignKey("members.id"), nullable=False),
        sa.Column("value", JSONB, nullable=False),
        sa.Column("text_sealed", sa.LargeBinary),
        sa.Column("answered_at", TIME, nullable=False),
    )
    op.create_index("ix_survey_answers_member_id", "survey_answers", ["member_id"])
    op.create_index("ix_survey_answers_survey_id_question", "survey_answers", ["survey_id", "question"])


def downgrade() -> None:
    """Undo."""
    for table in (
        "survey_answers",
        "survey_responses",
        "survey_versions",
        "surveys",
        "sign_ups",
        "check_in_streaks",
        "check_ins",
    ):
        op.drop_table(table)
