"""Tables of webhooks. Messages are partitioned by the month of their event, attempts by their own."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from crm.db.base import Base, BigId, CreatedAt, Timestamp

_TIME = DateTime(timezone=True)


class EndpointRow(Base):
    """Somebody who is told of events. The address is sealed too: many hold a token."""

    __tablename__ = "webhook_endpoints"

    id: Mapped[BigId]
    name: Mapped[str] = mapped_column(Text)
    address_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    kinds: Mapped[list[str]] = mapped_column(ARRAY(Text))
    status: Mapped[str] = mapped_column(Text, server_default="active")
    disabled_reason: Mapped[str | None] = mapped_column(Text)
    disabled_at: Mapped[datetime | None] = mapped_column(_TIME)
    failing_since: Mapped[datetime | None] = mapped_column(_TIME)
    secret_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    older_secret_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    older_secret_until: Mapped[datetime | None] = mapped_column(_TIME)
    last_sequence: Mapped[int] = mapped_column(BigInteger, server_default="0")
    created_by: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[CreatedAt]


class MessageRow(Base):
    """One event for one endpoint; what is sent is made from the event each time, so no body lies here."""

    __tablename__ = "webhook_messages"
    __table_args__ = (
        Index(None, "endpoint_id", "sequence"),
        Index("ix_webhook_messages_due", "endpoint_id", "due_at", postgresql_where=text("state = 'waiting'")),
        Index("ix_webhook_messages_dead", "endpoint_id", "sequence", postgresql_where=text("state = 'dead'")),
        {"postgresql_partition_by": "RANGE (occurred_at)"},
    )

    endpoint_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    event_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    occurred_at: Mapped[datetime] = mapped_column(_TIME, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    sequence: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(Text, server_default="waiting")
    due_at: Mapped[Timestamp]
    tries: Mapped[int] = mapped_column(SmallInteger, server_default="0")
    """Failures since it was made or replayed."""
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")
    fence: Mapped[int] = mapped_column(Integer, server_default="0")
    lease_until: Mapped[datetime | None] = mapped_column(_TIME)
    """By the clock of the database server: leases do not follow a set time."""
    last_status: Mapped[int | None] = mapped_column(SmallInteger)
    last_error: Mapped[str | None] = mapped_column(Text)
    finished_at: Mapped[datetime | None] = mapped_column(_TIME)
    created_at: Mapped[CreatedAt]


ATTEMPTS = Table(
    "webhook_attempts",
    Base.metadata,
    Column("endpoint_id", BigInteger, nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("at", _TIME, nullable=False, server_default=func.siyu_now()),
    Column("number", Integer, nullable=False),
    Column("is_success", Boolean, nullable=False),
    Column("status", SmallInteger),
    Column("milliseconds", Integer, nullable=False),
    Column("error", Text),
    Column("excerpt", Text),
    Index(None, "event_id", "endpoint_id"),
    postgresql_partition_by="RANGE (at)",
)
"""Every call that was made, append-only."""
