"""What texts of a journey may say of the event that it began with: its plain fields, and names for what they hold."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brand
from crm.coupons.service import holding
from crm.events.types import RecordedEvent
from crm.journeys.triggers import field_names
from crm.tiers.service import programmes

_LONGEST = 500


async def of_event(session: AsyncSession, event: RecordedEvent) -> dict[str, Any]:
    """By name; times stand in the brand's time zone, so that their dates are those of its calendar."""
    zone = await brand.zone(session)
    found = {name: _plain(event.data.get(name), zone) for name in field_names(event.kind)}
    if event.kind == "voucher_expiring":
        found["coupon"] = (await holding.coupon_names(session)).get(event.data["coupon_id"], {})
    if event.kind == "tier_at_risk":
        live = await programmes.live(session)
        names = {tier.key: tier.name for tier in live.rules.tiers} if live else {}
        found["tier_name"] = names.get(found["tier"], found["tier"])
        missing = Decimal(event.data["missing"])
        found["missing"] = int(missing) if missing == missing.to_integral_value() else str(missing)
        found["next_tier_name"] = names.get(found["next_tier"] or "", found["next_tier"] or "")
    return found


def _plain(value: Any, zone: ZoneInfo) -> Any:
    if not isinstance(value, str):
        return value
    if "T" in value:
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return value[:_LONGEST]
        return moment.astimezone(zone).isoformat() if moment.tzinfo else value
    return value[:_LONGEST]
