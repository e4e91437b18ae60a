"""Tier programmes for tests."""

from decimal import Decimal
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from crm.tiers.service import programmes, runs
from crm.tiers.types import Downgrade, Measure, Programme, Rules, Tier, Window

NAMES = {
    "silver": {"en": "Silver", "zh-CN": "银卡"},
    "gold": {"en": "Gold", "zh-CN": "金卡"},
    "black": {"en": "Black", "zh-CN": "黑卡"},
}


def tier(key: str, enter: str, keep: str | None = None, **more: Any) -> Tier:
    """Kept by what it was entered with, unless said otherwise."""
    return Tier(key, NAMES.get(key, {"en": key}), Decimal(enter), Decimal(keep or enter), **more)


def rules(*tiers: Tier, **more: Any) -> Rules:
    """Silver from 100, gold from 500, black from 1000 of money spent in twelve months; 30 days of grace."""
    values: dict[str, Any] = {"measure": Measure.SPEND, "window": Window.ROLLING, "downgrade": Downgrade.TO_BALANCE}
    values |= more
    if values["window"] is Window.ROLLING:
        values.setdefault("months", 12)
    shipped = (
        tier("silver", "100", "80"),
        tier("gold", "500", "400", multiplier=Decimal("1.5")),
        tier("black", "1000", "800", multiplier=Decimal(2), has_priority=True),
    )
    return Rules(tiers=list(tiers or shipped), **values)


async def make_programme(session: AsyncSession, given: Rules | None = None) -> Programme:
    """A live programme, nobody evaluated yet."""
    draft = await programmes.save_draft(session, given or rules(), by="operator:1")
    return await programmes.publish(session, draft.version)


async def evaluate_all(session: AsyncSession) -> None:
    """Carry the open evaluation through."""
    while await runs.step(session):
        pass
