"""Draws with their logs; missions with progress; badges."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from crm.db.partitions import attach_partitions

revision = "r0036"
down_revision = "r0035"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)
FUNCTIONS = (
    """
CREATE FUNCTION siyu_draw_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (OLD.commitment, OLD.rules, OLD.rules_hash, OLD.opened_at)
        IS DISTINCT FROM (NEW.commitment, NEW.rules, NEW.rules_hash, NEW.opened_at) THEN
        RAISE EXCEPTION 'an opened draw keeps its commitment and its rules' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
""",
    """
CREATE TRIGGER draws_fixed BEFORE UPDATE OR DELETE ON draws
FOR EACH ROW WHEN (OLD.commitment IS NOT NULL) EXECUTE FUNCTION siyu_draw_fixed()
""",
    """
CREATE FUNCTION siyu_draw_log() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE'
        OR (OLD.draw_id, OLD.position, OLD.at, OLD.number, OLD.attempt, OLD.drawn, OLD.prize, OLD.points)
        IS DISTINCT FROM
        (NEW.draw_id, NEW.position, NEW.at, NEW.number, NEW.attempt, NEW.drawn, NEW.prize, NEW.points) THEN
        RAISE EXCEPTION 'what was drawn is never changed or removed' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
""",
    """
CREATE TRIGGER draw_plays_log BEFORE UPDATE OR DELETE ON draw_plays
FOR EACH ROW EXECUTE FUNCTION siyu_draw_log()
""",
)


def upgrade() -> None:
    """Apply."""
    _draws()
    _draw_players()
    _draw_plays()
    _draw_play_keys()
    _draw_chance_keys()
    _missions()
    _mission_progress()
    _mission_events()
    _badges()
    _member_badges()
    for table in ("draw_plays", "mission_events"):
        attach_partitions(op.get_bind(), table)
    for statement in FUNCTIONS:
        op.execute(statement)


def _draws() -> None:
    op.create_table(
        "draws",
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), nullable=False),
        sa.Column("name", JSONB, nullable=False),
        sa.Column("description", JSONB, server_default="{}", nullable=False),
        sa.Column("rules", JSONB, nullable=False),
        sa.Column("free_per_day", sa.Integer, nullable=False),
        sa.Column("price", sa.BigInteger),
        sa.Column("bought_per_day", sa.Integer, nullable=False),
        sa.Column("earned_by", JSONB, server_default="{}", nullable=False),
        sa.Column("tiers", JSONB, server_default="[]", nullable=False),
        sa.Column("stages", JSONB, server_default="[]", nullable=False),
        sa.Column("minimum_orders", sa.Integer, server_default="0", nullable=False),
        sa.Column("starts_at", TIME),
        sa.Column("ends_at", TIME),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("commitment", sa.Text),
        sa.Column("rules_hash", sa.Text),
        sa.Column("sealed_seed", sa.LargeBinary),
        sa.Column("seed", sa.Text),
        sa.Column("stand", JSONB, nullable=False),
        sa.Column("plays", sa.BigInteger, server_default="0", nullable=False),
        sa.Column("opened_at", TIME),
        sa.Column("closed_at", TIME),
        sa.Column("created_at", TIME, server_default=sa.text("siyu_now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_draws"),
    )


def _draw_players() -> None:
    op.create_table(
        "draw_players",
        sa.Column("draw_id", sa.BigInteger, nullable=False),
        sa.Column("member_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("free", sa.Integer, nullable=False),
        sa.Column("bought", sa.Integer, nullable=False),
        sa.Column("extra", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["draw_id"], ["draws.id"], name="fk_draw_players_draw_id"),
        sa.PrimaryKeyConstraint("draw_id", "member_id", name="pk_draw_players"),
    )


def _draw_plays() -> None:
    op.create_table(
        "draw_plays",
        sa.Column("draw_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("member_id", sa.BigInteger, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("drawn", sa.Integer),
        sa.Column("prize", sa.Integer),
        sa.Column("points", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("voucher_id", sa.Uuid),
        sa.PrimaryKeyConstraint("draw_id", "position", "at", name="pk_draw_plays"),
        postgresql_partition_by="RANGE (at)",
    )
    op.create_index("ix_draw_plays_draw_id_status", "draw_plays", ["draw_id", "status"])
    op.create_index("ix_draw_plays_member_id_at", "draw_plays", ["member_id", "at"])


def _draw_play_keys() -> None:
    op.create_table(
        "draw_play_keys",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("draw_id", sa.BigInteger, nullable=False),
        sa.Column("position", sa.BigInteger),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_draw_play_keys"),
    )


def _draw_chance_keys() -> None:
    op.create_table(
        "draw_chance_keys",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("draw_id", sa.BigInteger, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_draw_chance_keys"),
    )


def _missions() -> None:
    op.create_table(
        "missions",
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), nullable=False),
        sa.Column("name", JSONB, nullable=False),
        sa.Column("description", JSONB, server_default="{}", nullable=False),
        sa.Column("steps", JSONB, nullable=False),
        sa.Column("window", sa.Text, nullable=False),
        sa.Column("rewards", JSONB, nullable=False),
        sa.Column("tiers", JSONB, server_default="[]", nullable=False),
        sa.Column("starts_at", TIME),
        sa.Column("ends_at", TIME),
        sa.Column("position", sa.Integer, server_default="0", nullable=False),
        sa.Column("is_active", sa.Boolean, server_default="true", nullable=False),
        sa.Column("completed", sa.BigInteger, server_default="0", nullable=False),
        sa.Column("created_at", TIME, server_default=sa.text("siyu_now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_missions"),
    )


def _mission_progress() -> None:
    op.create_table(
        "mission_progress",
        sa.Column("mission_id", sa.BigInteger, nullable=False),
        sa.Column("member_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("window", sa.Text, nullable=False),
        sa.Column("counts", sa.ARRAY(sa.Integer), nullable=False),
        sa.Column("completed_at", TIME),
        sa.ForeignKeyConstraint(["mission_id"], ["missions.id"], name="fk_mission_progress_mission_id"),
        sa.PrimaryKeyConstraint("mission_id", "member_id", "window", name="pk_mission_progress"),
    )
    op.create_index("ix_mission_progress_member_id", "mission_progress", ["member_id"])


def _mission_events() -> None:
    op.create_table(
        "mission_events",
        sa.Column("event_id", sa.Uuid, nullable=False),
        sa.Column("mission_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("occurred_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("event_id", "mission_id", "occurred_at", name="pk_mission_events"),
        postgresql_partition_by="RANGE (occurred_at)",
    )


def _badges() -> None:
    op.create_table(
        "badges",
        sa.Column("id", sa.BigInteger, sa.Identity(always=False), nullable=False),
        sa.Column("name", JSONB, nullable=False),
        sa.Column("description", JSONB, server_default="{}", nullable=False),
        sa.Column("emoji", sa.Text, nullable=False),
        sa.Column("photo_media_id", sa.Uuid),
        sa.Column("is_active", sa.Boolean, server_default="true", nullable=False),
        sa.Column("created_at", TIME, server_default=sa.text("siyu_now()"), nullable=False),
        sa.ForeignKeyConstraint(["photo_media_id"], ["media.id"], name="fk_badges_photo_media_id"),
        sa.PrimaryKeyConstraint("id", name="pk_badges"),
    )


def _member_badges() -> None:
    op.create_table(
        "member_badges",
        sa.Column("badge_id", sa.BigInteger, nullable=False),
        sa.Column("member_id", sa.BigInteger, autoincrement=False, nullable=False),
        sa.Column("earned_at", TIME, nullable=False),
        sa.Column("given_for", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["badge_id"], ["badges.id"], name="fk_member_badges_badge_id"),
        sa.PrimaryKeyConstraint("badge_id", "member_id", name="pk_member_badges"),
    )
    op.create_index("ix_member_badges_member_id", "member_badges", ["member_id"])


def downgrade() -> None:
    """Undo."""
    for table in (
        "member_badges",
        "badges",
        "mission_events",
        "mission_progress",
        "missions",
        "draw_chance_keys",
        "draw_play_keys",
        "draw_plays",
        "draw_players",
        "draws",
    ):
        op.drop_table(table)
    op.execute("DROP FUNCTION siyu_draw_log()")
    op.execute("DROP FUNCTION siyu_draw_fixed()")
