"""What texts about tiers are filled with."""

from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brand
from crm.rewards.service import catalogue
from crm.tiers import policy
from crm.tiers.service import standings
from crm.tiers.types import Measure, Progress, Window

UNITS = {
    Measure.POINTS: {"en": "points", "zh-CN": "积分"},
    Measure.ORDERS: {"en": "orders", "zh-CN": "笔订单"},
}
"""What is counted, by locale; money has its own sign."""


async def of_tier(session: AsyncSession, member_id: int, zone: str) -> dict[str, Any] | None:
    """What texts about the member's tier are filled with; None without a programme. Days are those of `zone`."""
    found = await standings.progress(session, member_id)
    return None if found is None else _words(found, ZoneInfo(zone), (await brand.get(session)).currency)


async def own_rewards(session: AsyncSession, member_id: int) -> int:
    """How many rewards are offered to the member's tier and not to everybody."""
    return sum(bool(offer.reward.access.tiers) for offer in await catalogue.offers(session, member_id))


def _words(found: Progress, zone: ZoneInfo, currency: str) -> dict[str, Any]:
    tier, known = found.tier, found.standing
    ends_at = known.risk_ends_at if found.keep_missing > 0 else None
    return {
        "tier": None if tier is None else tier.name,
        "since": None if known.since is None else known.since.astimezone(zone).date(),
        "granted_until": None if known.grant is None else known.grant.until.astimezone(zone).date(),
        "multiplier": 1.0 if tier is None else float(tier.multiplier),
        "has_monthly": tier is not None and tier.monthly_coupon_id is not None,
        "has_birthday": tier is not None and tier.birthday_coupon_id is not None,
        "has_priority": tier is not None and tier.has_priority,
        "is_money": found.measure is Measure.SPEND,
        "is_orders": found.measure is Measure.ORDERS,
        "unit": UNITS.get(found.measure, {}),
        "months": found.months if found.window is Window.ROLLING else None,
        "is_year": found.window is Window.CALENDAR_YEAR,
        "value": float(found.value),
        "following": None if found.following is None else found.following.name,
        "goal": 0.0 if found.following is None else float(found.following.enter),
        "missing": float(found.missing),
        "bar": policy.bar(found.share),
        "keep_missing": float(found.keep_missing),
        "risk_on": None if ends_at is None else ends_at.astimezone(zone).date(),
        "currency": currency,
    }
