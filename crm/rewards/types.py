"""Public values of rewards and redemptions."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID


class RewardKind(StrEnum):
    """What a member is given."""

    VOUCHER = "voucher"
    """A voucher of a coupon, shown at the counter."""
    GOODS = "goods"
    """Something that is handed over or sent."""


class RedemptionStatus(StrEnum):
    """Where a redemption stands. A voucher's stays `issued`; goods go from `pending` on."""

    ISSUED = "issued"
    PENDING = "pending"
    PREPARED = "prepared"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Price:
    """What a reward costs: points, and money beside them that is paid when it is handed over."""

    points: int
    amount: Decimal | None = None


@dataclass(frozen=True)
class Access:
    """Who may have a reward, how often, and when."""

    limit_per_member: int | None = None
    tiers: list[str] = field(default_factory=list)
    """Keys of the tiers that may have it; empty: everybody."""
    tier_limits: dict[str, int] = field(default_factory=dict)
    """By tier: how many its members may have, instead of `limit_per_member`."""
    starts_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True)
class NewReward:
    """A reward to be made."""

    name: dict[str, str]
    kind: RewardKind
    price: Price
    description: dict[str, str] = field(default_factory=dict)
    coupon_id: int | None = None
    """Whose vouchers it gives."""
    photo_media_id: UUID | None = None
    stock: int | None = None
    """None: as many as are wanted."""
    access: Access = field(default_factory=Access)
    needs_address: bool = False
    """Goods that are sent: the bot asks where to."""
    position: int = 0


@dataclass(frozen=True)
class Reward:
    """A reward of the catalogue; names are by locale."""

    id: int
    name: dict[str, str]
    description: dict[str, str]
    kind: RewardKind
    price: Price
    coupon_id: int | None
    photo_media_id: UUID | None
    stock: int | None
    """What is left."""
    access: Access
    needs_address: bool
    position: int
    is_active: bool
    redeemed: int
    created_at: datetime


@dataclass(frozen=True)
class Offer:
    """A reward as one member sees it."""

    reward: Reward
    can_have: bool
    why_not: str | None = None
    """Code of the reason, e.g. `insufficient_points`."""


@dataclass(frozen=True)
class Redemption:
    """A reward that a member took."""

    id: UUID
    at: datetime
    reward_id: int
    name: dict[str, str]
    member_id: int
    price: Price
    status: RedemptionStatus
    transaction_id: UUID
    """Of the ledger."""
    voucher_id: UUID | None
    tracking: str | None
    balance: int | None = None
    """The member's points right after; only where it was just redeemed."""
    is_new: bool = False
