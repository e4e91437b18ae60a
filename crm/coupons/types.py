"""Public values of coupons and vouchers."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID


class CouponKind(StrEnum):
    """What a voucher is good for."""

    FIXED = "fixed"
    PERCENT = "percent"
    GIFT = "gift"
    SHIPPING = "shipping"


class CodeSource(StrEnum):
    """Where the codes of vouchers come from."""

    PATTERN = "pattern"
    """Generated, one by one."""
    POOL = "pool"
    """Imported, for instance from a shop system that has to know them."""


class Stacking(StrEnum):
    """Which other vouchers may be used for the same order."""

    ALONE = "alone"
    OTHER_KINDS = "other_kinds"
    ANY = "any"


class VoucherStatus(StrEnum):
    """Where a voucher stands."""

    ISSUED = "issued"
    USED = "used"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class Act(StrEnum):
    """What happened to a voucher, for its log."""

    ISSUED = "issued"
    SHOWN = "shown"
    USED = "used"
    ROLLED_BACK = "rolled_back"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class Verdict(StrEnum):
    """What the counter is told about a code."""

    VALID = "valid"
    USED = "used"
    EXPIRED = "expired"
    NOT_YET = "not_yet"
    CANCELLED = "cancelled"
    NOT_YOURS = "not_yours"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Terms:
    """What a coupon gives, and under which conditions; checked by `policy.check_terms`."""

    kind: CouponKind
    value: Decimal | None = None
    """Money off, or per cent; None for gifts. For shipping: the most that is paid, None for all of it."""
    most: Decimal | None = None
    """The most money that a percentage takes off."""
    minimum_spend: Decimal | None = None
    stacking: Stacking = Stacking.ALONE
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    """Fixed bounds of validity; either may be open."""
    valid_days: int | None = None
    """Days from the issue, cut off by `ends_at`."""
    limit_total: int | None = None
    limit_per_member: int | None = None


@dataclass(frozen=True)
class Coupon:
    """A coupon as operators define it; vouchers are issued of it."""

    id: int
    name: dict[str, str]
    """By locale; what members read."""
    description: dict[str, str]
    terms: Terms
    code_source: CodeSource
    pattern: str | None
    """Of generated codes: `#` a digit, `@` a letter, `*` either; anything else stands for itself."""
    shared_code: str | None
    """Whoever says it to the bot is issued a voucher."""
    is_active: bool
    issued: int
    used: int
    codes_left: int | None
    """Free codes of the pool; None when codes are generated."""
    created_at: datetime


@dataclass(frozen=True)
class NewCoupon:
    """A coupon to be made."""

    name: dict[str, str]
    terms: Terms
    description: dict[str, str] = field(default_factory=dict)
    code_source: CodeSource = CodeSource.PATTERN
    pattern: str | None = None
    shared_code: str | None = None


@dataclass(frozen=True)
class Voucher:
    """One issued coupon."""

    id: UUID
    coupon_id: int
    member_id: int
    code: str
    status: VoucherStatus
    name: dict[str, str]
    description: dict[str, str]
    terms: Terms
    issued_at: datetime
    valid_from: datetime
    expires_at: datetime | None
    source: str
    """What it was issued for, e.g. `reward:3`, `shared_code`, `operator:2`."""
    used_at: datetime | None = None
    used_by: str | None = None
    reference: str | None = None
    """Of the order or receipt that it was used for."""


@dataclass(frozen=True)
class Checked:
    """What the counter sees when it looks a code up; nothing is changed by looking."""

    verdict: Verdict
    voucher: Voucher | None
    discount: Decimal | None = None
    """Money off the given amount; None without an amount or for gifts."""
    problem: str | None = None
    """Why it cannot be used for this amount, when it is valid as such."""


@dataclass(frozen=True)
class Use:
    """Vouchers that were used together, and what they take off."""

    vouchers: list[Voucher]
    discount: Decimal | None
    is_new: bool
    """False when the same key had used them before."""


@dataclass(frozen=True)
class LogEntry:
    """A line of a voucher's log."""

    at: datetime
    act: Act
    by: str
    detail: str | None


@dataclass(frozen=True)
class Imported:
    """What an import of codes did."""

    added: int
    left: int
    """Free codes of the pool now."""
