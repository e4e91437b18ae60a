"""Tables of tags and consent, with the topic that campaigns use by default."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "r0007"
down_revision = "r0006"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
NOW = sa.func.siyu_now()


def upgrade() -> None:
    """Apply."""
    _tags()
    _consent()


def _tags() -> None:
    op.create_table(
        "tags",
        sa.Column("id", sa.Integer, sa.Identity(always=False), primary_key=True),
        sa.Column("group_name", sa.Text, nullable=False, server_default=""),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("is_archived", sa.Boolean, nullable=False, server_default="false"),
        sa.Column("created_at", TIME, nullable=False, server_default=NOW),
        sa.UniqueConstraint("group_name", "name", name="uq_tags_group_name_name"),
    )
    op.create_table(
        "member_tags",
        sa.Column("member_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("tag_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("source_ref", sa.Text),
        sa.Column("added_at", TIME, nullable=False, server_default=NOW),
        sa.Column("expires_at", TIME),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_member_tags_member_id"),
        sa.ForeignKeyConstraint(["tag_id"], ["tags.id"], name="fk_member_tags_tag_id"),
    )
    op.create_index("ix_member_tags_tag_id_member_id", "member_tags", ["tag_id", "member_id"])
    op.create_index(
        "ix_member_tags_expires_at", "member_tags", ["expires_at"], postgresql_where=sa.text("expires_at IS NOT NULL")
    )
    op.create_table(
        "tag_rules",
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("event_kind", sa.Text, nullable=False),
        sa.Column("where", JSONB, nullable=False, server_default="{}"),
        sa.Column("tag_id", sa.Integer, nullable=False),
        sa.Column("is_active", sa.Boolean, nullable=False, server_default="true"),
        sa.Column("created_at", TIME, nullable=False, server_default=NOW),
        sa.ForeignKeyConstraint(["tag_id"], ["tags.id"], name="fk_tag_rules_tag_id"),
    )
    op.create_index("ix_tag_rules_event_kind", "tag_rules", ["event_kind"])


def _consent() -> None:
    topics = op.create_table(
        "consent_topics",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("name", JSONB, nullable=False),
        sa.Column("is_default", sa.Boolean, nullable=False, server_default="false"),
        sa.Column("is_archived", sa.Boolean, nullable=False, server_default="false"),
        sa.Column("created_at", TIME, nullable=False, server_default=NOW),
    )
    op.bulk_insert(
        topics, [{"key": "news", "name": {"zh-CN": "新品与活动", "en": "News and offers"}, "is_default": True}]
    )
    op.create_table(
        "consents",
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), primary_key=True),
        sa.Column("member_id", sa.BigInteger, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        *_decision(),
        sa.Column("proof", sa.Text),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_consents_member_id"),
        sa.ForeignKeyConstraint(["topic"], ["consent_topics.key"], name="fk_consents_topic"),
    )
    op.create_index("ix_consents_member_id", "consents", ["member_id"])
    op.execute(
        "CREATE TRIGGER consents_append_only BEFORE UPDATE ON consents FOR EACH ROW EXECUTE FUNCTION siyu_append_only()"
    )
    op.create_table(
        "consent_states",
        sa.Column("member_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("channel", sa.Text, primary_key=True),
        sa.Column("topic", sa.Text, primary_key=True),
        *_decision(),
        sa.ForeignKeyConstraint(["member_id"], ["members.id"], name="fk_consent_states_member_id"),
        sa.ForeignKeyConstraint(["topic"], ["consent_topics.key"], name="fk_consent_states_topic"),
    )


def _decision() -> tuple[sa.Column[Any], ...]:
    return (
        sa.Column("is_given", sa.Boolean, nullable=False),
        sa.Column("text_version", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("at", TIME, nullable=False),
    )


def downgrade() -> None:
    """Undo."""
    for table in ("consent_states", "consents", "consent_topics", "tag_rules", "member_tags", "tags"):
        op.drop_table(table)
