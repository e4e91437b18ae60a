"""Public values of points: postings, statements, earning rules, and the report of a verification."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

MAX_POINTS = 1_000_000_000
"""The most that one posting may move."""


class EntryKind(StrEnum):
    """Why points moved."""

    EARN = "earn"
    REDEEM = "redeem"
    EXPIRE = "expire"
    ADJUST = "adjust"
    REVERSE = "reverse"
    MERGE = "merge"
    PENDING = "pending"
    """Earned, not active yet."""
    ACTIVATE = "activate"
    CANCEL = "cancel"
    HOLD = "hold"
    SPEND = "spend"
    """Held points were spent."""
    VOID = "void"
    """Held points came back."""
    CLAW_BACK = "claw_back"
    """What was earned for something was taken back, or a part of it."""


class Account(StrEnum):
    """The two sides of a transaction: what a member holds or owes, and where points come from and go to."""

    MEMBER = "member"
    DEBT = "debt"
    PENDING = "pending"
    HELD = "held"
    ISSUANCE = "issuance"
    REDEMPTION = "redemption"
    EXPIRY = "expiry"
    ADJUSTMENT = "adjustment"


@dataclass(frozen=True)
class Posting:
    """What a posting did. `points` is signed; a repeated key answers the first posting with `is_new` False."""

    transaction_id: UUID
    is_new: bool
    points: int
    balance: int
    """The member's balance now."""
    debt: int
    """What the member owes now, to be made good by later earnings."""
    member_id: int
    """Whose account it was: the kept member when the one asked for was merged away."""


@dataclass(frozen=True)
class Award:
    """Points that an earning rule gave for an event."""

    rule: str
    """Kind of the rule, e.g. `check_in`."""
    rule_id: int
    points: int
    transaction_id: UUID
    balance: int
    is_new: bool
    rule_version: int = 0
    is_pending: bool = False
    """Whether they cannot be spent yet."""


def spendable(awards: Iterable[Award]) -> int:
    """Points that can be spent at once."""
    return sum(award.points for award in awards if not award.is_pending)


def waiting(awards: Iterable[Award]) -> int:
    """Points that can be spent later."""
    return sum(award.points for award in awards if award.is_pending)


@dataclass(frozen=True)
class Expiring:
    """Points that run out together."""

    points: int
    at: datetime


@dataclass(frozen=True)
class Pending:
    """Points that were earned and become active at a time, by an act, or both."""

    key: str
    member_id: int
    points: int
    reason: str
    earned_at: datetime
    activates_at: datetime | None
    expires_at: datetime | None
    """When they run out, if they become active at their time."""
    act: str | None = None
    """What the member does to have them sooner, such as `order`."""


@dataclass(frozen=True)
class Hold:
    """Points set aside until they are spent, given back, or time is up."""

    key: str
    member_id: int
    points: int
    reason: str
    held_at: datetime
    until: datetime


@dataclass(frozen=True)
class BalanceAt:
    """What an account showed at a moment; all whole points."""

    at: datetime
    balance: int
    debt: int
    pending: int
    held: int


@dataclass(frozen=True)
class Entry:
    """A line of a member's statement. `reason` is a rule's kind for earnings, else the text that was given."""

    at: datetime
    kind: EntryKind
    points: int
    reason: str
    balance: int
    sequence: int
    transaction_id: UUID
    rule_id: int | None = None
    """Of the earning rule that gave the points."""
    rule_version: int | None = None
    """The version that was in force when they were earned."""


@dataclass(frozen=True)
class PointsSummary:
    """What a member wants to see at a glance."""

    balance: int
    expiring: list[Expiring]
    entries: list[Entry]
    debt: int = 0
    pending: list[Pending] = field(default_factory=list)
    """The soonest to become active first."""
    held: list[Hold] = field(default_factory=list)


@dataclass(frozen=True)
class WayToEarn:
    """One way to earn points, told in the member's language."""

    rule: str
    text: str


@dataclass(frozen=True)
class EarningRule:
    """An earning rule as it is now; every change makes a new version, and events meet the version of their time."""

    id: int
    kind: str
    name: str
    parameters: Mapping[str, Any]
    is_active: bool
    valid_from: datetime | None
    valid_until: datetime | None
    version: int
    changed_at: datetime
    terms: Mapping[str, Any] = field(default_factory=dict)
    """What it adds to its kind, see `crm.points.terms`."""


@dataclass(frozen=True)
class LedgerProblem:
    """The first bad row that a check met."""

    check: str
    subject: str
    detail: str


@dataclass(frozen=True)
class LedgerReport:
    """What a verification counted and found."""

    members: int
    transactions: int
    entries: int
    checkpoints: int
    problems: list[LedgerProblem] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether everything was re-derived without a contradiction."""
        return not self.problems


@dataclass(frozen=True)
class Checkpoint:
    """A signed seal over the heads of the chains that moved since the one before."""

    id: int
    at: datetime
    accounts: int
    digest: str
