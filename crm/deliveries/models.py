"""Tables of deliveries. What grows is partitioned by the month in which its source was made.

A delivery is inserted once and its results are appended; its state is derived (view `delivery_states`). Only the few
rows of chunks and of open replies change. Deliveries of broadcasts, the many, have a key of numbers; those of the
interactive lane name what they answer.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from crm.db.base import Base, BigId, CreatedAt, Timestamp

BY_MONTH = "RANGE (source_month)"
_TIME = DateTime(timezone=True)


class SourceRow(Base):
    """What bulk deliveries are made for: a campaign, a node of a journey."""

    __tablename__ = "delivery_sources"
    __table_args__ = (UniqueConstraint("source_kind", "source_id"),)

    id: Mapped[BigId]
    source_kind: Mapped[str] = mapped_column(Text)
    source_id: Mapped[str] = mapped_column(Text)
    source_month: Mapped[date] = mapped_column(Date)
    topic: Mapped[str] = mapped_column(Text)
    message_class: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, server_default="active")
    paused_reason: Mapped[str | None] = mapped_column(Text)
    resumes_at: Mapped[datetime | None] = mapped_column(_TIME)
    not_before: Mapped[Timestamp]
    send_before: Mapped[datetime | None] = mapped_column(_TIME)
    content_errors: Mapped[int] = mapped_column(Integer, server_default="0")
    served_at: Mapped[datetime | None] = mapped_column(_TIME)
    """When a chunk of it was handed out last: sources take turns."""
    paid_limit: Mapped[int | None] = mapped_column(Integer)
    """How many messages may be paid for; None where nothing is paid."""
    paid_count: Mapped[int] = mapped_column(Integer, server_default="0")
    created_at: Mapped[CreatedAt]
    finished_at: Mapped[datetime | None] = mapped_column(_TIME)


class ChunkRow(Base):
    """At most 500 deliveries of one source whose members lie in one range: the unit of leasing."""

    __tablename__ = "delivery_chunks"
    __table_args__ = (
        Index(None, "broadcast_id"),
        Index(None, "broadcast_id", "part", postgresql_where=text("NOT is_done")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=False), primary_key=True)
    broadcast_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("delivery_sources.id"))
    bot_id: Mapped[int | None] = mapped_column(BigInteger)
    part: Mapped[int] = mapped_column(Integer)
    size: Mapped[int] = mapped_column(Integer)
    first_member_id: Mapped[int] = mapped_column(BigInteger)
    last_member_id: Mapped[int] = mapped_column(BigInteger)
    not_before: Mapped[Timestamp]
    lease_owner: Mapped[str | None] = mapped_column(Text)
    lease_until: Mapped[datetime | None] = mapped_column(_TIME)
    fence: Mapped[int] = mapped_column(Integer, server_default="0")
    is_done: Mapped[bool] = mapped_column(server_default="false")
    tally: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """Its deliveries by state while nobody works on it; otherwise they are counted from the rows."""


class BulkDeliveryRow(Base):
    """One message of a broadcast to one member; never changed once inserted.

    Who was merged meanwhile is found when it is claimed.
    """

    __tablename__ = "bulk_deliveries"
    __table_args__ = (
        PrimaryKeyConstraint("broadcast_id", "member_id", "step", "source_month"),
        {"postgresql_partition_by": BY_MONTH},
    )

    broadcast_id: Mapped[int] = mapped_column(BigInteger)
    member_id: Mapped[int] = mapped_column(BigInteger)
    id: Mapped[UUID] = mapped_column(Uuid)
    chunk_id: Mapped[int] = mapped_column(BigInteger)
    source_month: Mapped[date] = mapped_column(Date)
    step: Mapped[int] = mapped_column(SmallInteger, server_default="0")


class InteractiveDeliveryRow(Base):
    """One reply to one member, unique by what it answers; never changed once inserted."""

    __tablename__ = "interactive_deliveries"
    __table_args__ = (Index(None, "id"), {"postgresql_partition_by": BY_MONTH})

    source_kind: Mapped[str] = mapped_column(Text, primary_key=True)
    source_id: Mapped[str] = mapped_column(Text, primary_key=True)
    member_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    step: Mapped[int] = mapped_column(SmallInteger, primary_key=True, server_default="0")
    source_month: Mapped[date] = mapped_column(Date, primary_key=True)
    id: Mapped[UUID] = mapped_column(Uuid)


INTENTS = Table(
    "delivery_intents",
    Base.metadata,
    Column("source_month", Date, nullable=False),
    Column("chunk_id", BigInteger, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("delivery_ids", ARRAY(Uuid), nullable=False),
    Column("at", _TIME, nullable=False, server_default=func.siyu_now()),
    Index(None, "chunk_id", "fence"),
    postgresql_partition_by=BY_MONTH,
)
"""Groups of at most 25 that were about to be sent; committed before the calls."""

RESULTS = Table(
    "delivery_results",
    Base.metadata,
    Column("delivery_id", Uuid, nullable=False),
    Column("chunk_id", BigInteger, nullable=False),
    Column("identity_id", BigInteger),
    Column("at", _TIME, nullable=False, server_default=func.siyu_now()),
    Column("not_before", _TIME),
    Column("source_month", Date, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason", Text),
    Column("detail", Text),
    Column("provider_ref", Text),
    Column("awaits_receipt", SmallInteger),
    # A block range index costs next to no log: results arrive in the order of their chunks.
    Index(None, "chunk_id", postgresql_using="brin", postgresql_with={"pages_per_range": 16, "autosummarize": "on"}),
    Index("ix_delivery_results_replies", "delivery_id", postgresql_where=text("chunk_id = 0")),
    Index("ix_delivery_results_receipts", "identity_id", "provider_ref", postgresql_where=text("awaits_receipt = 1")),
    postgresql_partition_by=BY_MONTH,
)
"""What became of deliveries, append-only; the one with the highest fence and rank counts. Replies have chunk 0."""

SENT_GROUPS = Table(
    "delivery_sent_groups",
    Base.metadata,
    Column("chunk_id", BigInteger, nullable=False),
    Column("at", _TIME, nullable=False, server_default=func.siyu_now()),
    Column("source_month", Date, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("delivery_ids", ARRAY(Uuid), nullable=False),
    Column("identity_ids", ARRAY(BigInteger), nullable=False),
    Column("provider_refs", ARRAY(Text), nullable=False),
    Index(None, "chunk_id"),
    postgresql_partition_by=BY_MONTH,
)
"""What was sent and awaits no receipt, a row per group: a third of the log that a row per delivery costs.

The view `delivery_lines` shows these and `delivery_results` as one.
"""


class ReplyRow(Base):
    """An open reply of the interactive lane, removed once its result is written; the body goes with it."""

    __tablename__ = "delivery_replies"
    __table_args__ = (Index(None, "due_at"), Index(None, "identity_id", "position"))

    delivery_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    source_month: Mapped[date] = mapped_column(Date)
    position: Mapped[int] = mapped_column(BigInteger, Identity(always=False))
    """Order within one chat."""
    identity_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("identities.id", ondelete="CASCADE"))
    message_class: Mapped[str] = mapped_column(Text)
    is_gated: Mapped[bool] = mapped_column(server_default="false")
    """Waits for the end of quiet hours and respects a stop: a reminder."""
    body: Mapped[bytes] = mapped_column(LargeBinary)
    due_at: Mapped[Timestamp]
    """By the clock of the database server; a few seconds after the commit, so that the committer comes first."""
    tries: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    doubts: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    fence: Mapped[int] = mapped_column(Integer, server_default="0")
    lease_until: Mapped[datetime | None] = mapped_column(_TIME)
    lease_owner: Mapped[int | None] = mapped_column(Integer)
    """Who holds it, see `crm.db.liveness`; empty when only time frees it."""


class FrequencyRow(Base):
    """Which marketing deliveries a member was granted lately; its row lock makes the cap exact."""

    __tablename__ = "frequency_counters"

    member_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    granted: Mapped[dict[str, Any]] = mapped_column(JSONB)
    """Delivery id -> seconds since 1970."""
