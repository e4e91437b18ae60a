"""Pure decisions about rewards: what makes sense, who may have one, which steps fulfilment takes."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from crm.kit.errors import DomainError
from crm.kit.localized import clean_names, clean_texts
from crm.kit.text import clean_text
from crm.points.errors import InsufficientPoints
from crm.points.types import MAX_POINTS
from crm.rewards.errors import (
    InvalidAddress,
    InvalidReward,
    RewardEnded,
    RewardInactive,
    RewardLimit,
    RewardNotYet,
    RewardOutOfStock,
    RewardTier,
)
from crm.rewards.types import Access, NewReward, Price, RedemptionStatus, Reward, RewardKind

MAX_STOCK, MAX_LIMIT, MAX_TIERS = 1_000_000_000, 1_000_000, 50
MAX_MONEY = Decimal(1_000_000)
MAX_DESCRIPTION, MIN_ADDRESS, MAX_ADDRESS, MAX_TRACKING = 1000, 5, 500, 100
_S = RedemptionStatus
NEXT: dict[RedemptionStatus, frozenset[RedemptionStatus]] = {
    _S.PENDING: frozenset({_S.PREPARED, _S.SHIPPED, _S.DELIVERED}),
    _S.PREPARED: frozenset({_S.SHIPPED, _S.DELIVERED}),
    _S.SHIPPED: frozenset({_S.DELIVERED}),
}
CANCELLABLE = frozenset({_S.ISSUED, _S.PENDING, _S.PREPARED})


def check_new(new: NewReward) -> NewReward:
    """`new` with cleaned texts. Raises InvalidReward."""
    if (new.kind is RewardKind.VOUCHER) != (new.coupon_id is not None):
        raise InvalidReward("a voucher reward names its coupon, goods have none", path="coupon_id")
    if new.needs_address and new.kind is not RewardKind.GOODS:
        raise InvalidReward("only goods need an address")
    return replace(
        new,
        name=check_name(new.name),
        description=check_description(new.description),
        price=check_price(new.price),
        stock=check_stock(new.stock),
        access=check_access(new.access),
    )


def check_name(name: dict[str, str]) -> dict[str, str]:
    """Names by locale. Raises InvalidReward."""
    cleaned = clean_names(name)
    if not cleaned:
        raise InvalidReward("a reward needs a name in at least one language", path="name")
    return cleaned


def check_description(description: dict[str, str]) -> dict[str, str]:
    """Descriptions by locale. Raises InvalidReward."""
    cleaned = clean_texts(description)
    if any(len(text) > MAX_DESCRIPTION for text in cleaned.values()):
        raise InvalidReward(f"a description has at most {MAX_DESCRIPTION} characters", path="description")
    return cleaned


def check_price(price: Price) -> Price:
    """Raises InvalidReward unless it costs points, and money only in whole cents."""
    if type(price.points) is not int or not 1 <= price.points <= MAX_POINTS:
        raise InvalidReward("a reward costs a whole number of points between 1 and 1000000000", path="points")
    amount = price.amount
    if amount is not None and not (
        amount.is_finite() and 0 < amount <= MAX_MONEY and amount == amount.quantize(Decimal("0.01"))
    ):
        raise InvalidReward("amount is money above 0 with at most two decimals, or empty", path="amount")
    return price


def check_stock(stock: int | None) -> int | None:
    """Raises InvalidReward unless it is a count, 0 included."""
    if stock is not None and not 0 <= stock <= MAX_STOCK:
        raise InvalidReward("stock is a whole number from 0 on, or empty for no limit", path="stock")
    return stock


def check_access(access: Access) -> Access:
    """Raises InvalidReward."""
    limits = [*access.tier_limits.values(), *([access.limit_per_member] if access.limit_per_member is not None else [])]
    if any(not 1 <= limit <= MAX_LIMIT for limit in limits):
        raise InvalidReward(f"a limit is a whole number from 1 to {MAX_LIMIT}, or empty", path="limit_per_member")
    if len(access.tiers) > MAX_TIERS or len(access.tier_limits) > MAX_TIERS:
        raise InvalidReward(f"at most {MAX_TIERS} tiers", path="tiers")
    times = [at for at in (access.starts_at, access.ends_at) if at is not None]
    if any(at.tzinfo is None for at in times):
        raise InvalidReward("starts_at and ends_at need a time zone, such as 2026-03-01T00:00:00+08:00")
    if access.starts_at is not None and access.ends_at is not None and access.ends_at <= access.starts_at:
        raise InvalidReward("the end must be later than the start", path="ends_at")
    return access


def check_address(address: str) -> str:
    """`address` cleaned. Raises InvalidAddress."""
    cleaned = clean_text(address).strip()
    if not MIN_ADDRESS <= len(cleaned) <= MAX_ADDRESS:
        raise InvalidAddress
    return cleaned


def limit_for(access: Access, tier: str | None) -> int | None:
    """How many of a reward a member of `tier` may have; None: any number."""
    return access.tier_limits.get(tier, access.limit_per_member) if tier else access.limit_per_member


def obstacle(reward: Reward, *, tier: str | None, had: int, balance: int, now: datetime) -> DomainError | None:
    """The first reason why this member cannot have the reward now; None: they can."""
    access, points, limit = reward.access, reward.price.points, limit_for(reward.access, tier)
    is_early = access.starts_at is not None and now < access.starts_at
    is_late = access.ends_at is not None and now >= access.ends_at
    obstacles: tuple[tuple[bool, DomainError], ...] = (
        (not reward.is_active, RewardInactive()),
        (is_early, RewardNotYet(starts_at=access.starts_at)),
        (is_late, RewardEnded(ended_at=access.ends_at)),
        (bool(access.tiers) and tier not in access.tiers, RewardTier(tiers=access.tiers)),
        (limit is not None and had >= limit, RewardLimit(limit=limit)),
        (reward.stock == 0, RewardOutOfStock()),
        (balance < points, InsufficientPoints(balance=balance, points=points)),
    )
    return next((error for holds, error in obstacles if holds), None)


def can_step(before: RedemptionStatus, after: RedemptionStatus) -> bool:
    """Whether fulfilment may go from one state to the other."""
    return after in NEXT.get(before, frozenset())
