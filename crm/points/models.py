"""Tables of the ledger: append-only transactions and entries, lots, account balances, earning rules."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from crm.db.base import Base, BigId, CreatedAt, Timestamp

_TIME = DateTime(timezone=True)
_BY_MONTH = {"postgresql_partition_by": "RANGE (occurred_at)"}


class TransactionRow(Base):
    """One movement of points; its entries sum to zero. Never changed."""

    __tablename__ = "ledger_transactions"
    __table_args__ = (Index(None, "reverses_id", postgresql_where=text("reverses_id IS NOT NULL")), _BY_MONTH)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    occurred_at: Mapped[datetime] = mapped_column(_TIME, primary_key=True)
    recorded_at: Mapped[CreatedAt]
    kind: Mapped[str] = mapped_column(Text)
    key: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text, server_default="system")
    rule_id: Mapped[int | None] = mapped_column(BigInteger)
    rule_version: Mapped[int | None] = mapped_column(Integer)
    """The version of the rule that was in force at `occurred_at`; the database fills it in."""
    event_id: Mapped[UUID | None] = mapped_column(Uuid)
    reverses_id: Mapped[UUID | None] = mapped_column(Uuid)


class LedgerKeyRow(Base):
    """Idempotency keys of transactions; unpartitioned, so that uniqueness spans all months."""

    __tablename__ = "ledger_keys"
    __table_args__ = (Index(None, "reverses_id", unique=True, postgresql_where=text("reverses_id IS NOT NULL")),)

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    transaction_id: Mapped[UUID] = mapped_column(Uuid)
    occurred_at: Mapped[Timestamp]
    amount: Mapped[int] = mapped_column(BigInteger)
    reverses_id: Mapped[UUID | None] = mapped_column(Uuid)


class EntryRow(Base):
    """One side of a transaction. Entries of member accounts are numbered and chained by hash. Never changed."""

    __tablename__ = "ledger_entries"
    __table_args__ = (
        Index(None, "member_id", "sequence", postgresql_where=text("account = 'member'")),
        Index(None, "member_id", postgresql_where=text("account IN ('debt', 'pending', 'held')")),
        CheckConstraint("amount <> 0", name="amount"),
        CheckConstraint(
            "account <> 'member' OR"
            " (member_id IS NOT NULL AND sequence > 0 AND balance_after >= 0 AND hash IS NOT NULL)",
            name="member",
        ),
        _BY_MONTH,
    )

    transaction_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    occurred_at: Mapped[datetime] = mapped_column(_TIME, primary_key=True)
    account: Mapped[str] = mapped_column(Text)
    member_id: Mapped[int | None] = mapped_column(BigInteger)
    amount: Mapped[int] = mapped_column(BigInteger)
    sequence: Mapped[int | None] = mapped_column(BigInteger)
    balance_after: Mapped[int | None] = mapped_column(BigInteger)
    hash: Mapped[bytes | None] = mapped_column(LargeBinary)


class LotRow(Base):
    """Points that were earned together; `remaining` only falls, oldest expiry first."""

    __tablename__ = "point_lots"
    __table_args__ = (
        Index(None, "member_id", "expires_at", "earned_at", postgresql_where=text("remaining > 0")),
        Index(None, "expires_at", postgresql_where=text("remaining > 0 AND expires_at IS NOT NULL")),
        CheckConstraint("remaining BETWEEN 0 AND points", name="remaining"),
    )

    id: Mapped[BigId]
    member_id: Mapped[int] = mapped_column(BigInteger)
    transaction_id: Mapped[UUID] = mapped_column(Uuid)
    points: Mapped[int] = mapped_column(BigInteger)
    remaining: Mapped[int] = mapped_column(BigInteger)
    earned_at: Mapped[Timestamp]
    expires_at: Mapped[datetime | None] = mapped_column(_TIME)


class LotUseRow(Base):
    """How much of which lot a transaction used up. Never changed."""

    __tablename__ = "lot_uses"
    __table_args__ = (CheckConstraint("amount > 0", name="amount"), _BY_MONTH)

    transaction_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    lot_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    occurred_at: Mapped[datetime] = mapped_column(_TIME, primary_key=True)
    amount: Mapped[int] = mapped_column(BigInteger)


class AccountRow(Base):
    """What a member holds and owes now, and the head of the member's chain; locked by every posting."""

    __tablename__ = "point_accounts"
    __table_args__ = (
        Index(None, "member_id", postgresql_where=text("last_sequence > sealed_sequence")),
        CheckConstraint("balance >= 0", name="balance"),
        CheckConstraint("debt >= 0", name="debt"),
        CheckConstraint("balance = 0 OR debt = 0", name="settled"),
        CheckConstraint("pending >= 0", name="pending"),
        CheckConstraint("held >= 0", name="held"),
    )

    member_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("members.id"), primary_key=True, autoincrement=False)
    balance: Mapped[int] = mapped_column(BigInteger, server_default="0")
    debt: Mapped[int] = mapped_column(BigInteger, server_default="0")
    pending: Mapped[int] = mapped_column(BigInteger, server_default="0")
    held: Mapped[int] = mapped_column(BigInteger, server_default="0")
    last_sequence: Mapped[int] = mapped_column(BigInteger, server_default="0")
    last_hash: Mapped[bytes] = mapped_column(LargeBinary, server_default=text("''::bytea"))
    sealed_sequence: Mapped[int] = mapped_column(BigInteger, server_default="0")
    merged_into_id: Mapped[int | None] = mapped_column(BigInteger)


class PendingRow(Base):
    """Points that were earned and are not active yet; the row goes when they are activated or cancelled."""

    __tablename__ = "pending_points"
    __table_args__ = (
        Index(None, "member_id", "activates_at"),
        Index(None, "activates_at", "key", postgresql_where=text("activates_at IS NOT NULL")),
        CheckConstraint("points > 0", name="points"),
    )

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    member_id: Mapped[int] = mapped_column(BigInteger)
    transaction_id: Mapped[UUID] = mapped_column(Uuid)
    points: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(Text)
    earned_at: Mapped[Timestamp]
    activates_at: Mapped[datetime | None] = mapped_column(_TIME)
    act: Mapped[str | None] = mapped_column(Text)
    """What the member does to have them sooner."""
    expires_at: Mapped[datetime | None] = mapped_column(_TIME)
    validity: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    rule_id: Mapped[int | None] = mapped_column(BigInteger)
    event_id: Mapped[UUID | None] = mapped_column(Uuid)


class HoldRow(Base):
    """Points that are set aside; the row goes when they are spent or given back."""

    __tablename__ = "point_holds"
    __table_args__ = (
        Index(None, "member_id", "until"),
        Index(None, "until", "key"),
        CheckConstraint("points > 0", name="points"),
    )

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    member_id: Mapped[int] = mapped_column(BigInteger)
    transaction_id: Mapped[UUID] = mapped_column(Uuid)
    points: Mapped[int] = mapped_column(BigInteger)
    reason: Mapped[str] = mapped_column(Text)
    held_at: Mapped[Timestamp]
    until: Mapped[Timestamp]


class CheckpointRow(Base):
    """A signed seal over chain heads; each holds the digest of the one before. Never changed."""

    __tablename__ = "ledger_checkpoints"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[Timestamp]
    accounts: Mapped[int] = mapped_column(Integer)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    signature: Mapped[bytes] = mapped_column(LargeBinary)


class CheckpointHeadRow(Base):
    """The head of one member's chain as a checkpoint sealed it. Never changed."""

    __tablename__ = "ledger_checkpoint_heads"
    __table_args__ = ({"postgresql_partition_by": "RANGE (at)"},)

    checkpoint_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    member_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(_TIME, primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class EarningRuleRow(Base):
    """An earning rule; what it says stands in its versions."""

    __tablename__ = "earning_rules"

    id: Mapped[BigId]
    kind: Mapped[str] = mapped_column(Text)
    shipped_key: Mapped[str | None] = mapped_column(Text, unique=True)
    created_at: Mapped[CreatedAt]


class EarningRuleVersionRow(Base):
    """What a rule said from `in_force_from` to `in_force_until`; events meet the version of their time."""

    __tablename__ = "earning_rule_versions"
    __table_args__ = (Index(None, "rule_id", unique=True, postgresql_where=text("in_force_until IS NULL")),)

    rule_id: Mapped[int] = mapped_column(BigInteger, ForeignKey("earning_rules.id"), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(Text)
    parameters: Mapped[dict[str, Any]] = mapped_column(JSONB)
    terms: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    is_active: Mapped[bool] = mapped_column()
    valid_from: Mapped[datetime | None] = mapped_column(_TIME)
    valid_until: Mapped[datetime | None] = mapped_column(_TIME)
    in_force_from: Mapped[Timestamp]
    in_force_until: Mapped[datetime | None] = mapped_column(_TIME)


class EarningProgrammeRow(Base):
    """What holds for all rules together; at most one row."""

    __tablename__ = "earning_programme"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    month_budget: Mapped[int | None] = mapped_column(BigInteger)
    over: Mapped[str] = mapped_column(Text)


class EarningCounterRow(Base):
    """What a rule gave a member (0: all members) in a period; rule 0 stands for all rules. Locked by who awards."""

    __tablename__ = "earning_counters"
    __table_args__ = (Index(None, "member_id"), Index(None, "starts_on"))

    rule_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    member_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    period: Mapped[str] = mapped_column(Text, primary_key=True)
    starts_on: Mapped[date] = mapped_column(Date, primary_key=True)
    points: Mapped[int] = mapped_column(BigInteger, server_default="0")


class EarningReplayRow(Base):
    """A rule tried on the event log before it is published: how far it is, and what came out."""

    __tablename__ = "earning_replays"

    id: Mapped[BigId]
    rule_id: Mapped[int | None] = mapped_column(BigInteger)
    draft: Mapped[dict[str, Any]] = mapped_column(JSONB)
    from_at: Mapped[Timestamp]
    until_at: Mapped[Timestamp]
    status: Mapped[str] = mapped_column(Text)
    total_events: Mapped[int] = mapped_column(BigInteger, server_default="0")
    done_events: Mapped[int] = mapped_column(BigInteger, server_default="0")
    state: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    error: Mapped[str | None] = mapped_column(Text)
    created_by: Mapped[str] = mapped_column(Text)
    created_at: Mapped[CreatedAt]
    finished_at: Mapped[datetime | None] = mapped_column(_TIME)


class EarningReplayMemberRow(Base):
    """What a replay reckoned for a member; removed a month after it ended, at once when it has no result."""

    __tablename__ = "earning_replay_members"

    replay_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("earning_replays.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    member_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    live: Mapped[int] = mapped_column(BigInteger)
    draft: Mapped[int] = mapped_column(BigInteger)
    counters: Mapped[dict[str, Any]] = mapped_column(JSONB)
