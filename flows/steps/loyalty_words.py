"""What texts about rewards and vouchers are filled with."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from crm.brand import service as brand
from crm.coupons.types import Voucher
from crm.kit.errors import DomainError
from crm.rewards.types import Reward


async def currency(session: AsyncSession, member_id: int) -> str:
    """The currency of all prices, e.g. `CNY`."""
    del member_id
    return (await brand.get(session)).currency


def of_voucher(voucher: Voucher, zone: ZoneInfo) -> dict[str, Any]:
    """A voucher, its end as a day of the member's own zone."""
    return {
        "name": voucher.name,
        "description": voucher.description,
        "code": voucher.code,
        "until": None if voucher.expires_at is None else voucher.expires_at.astimezone(zone).date(),
        "starts_on": voucher.valid_from.astimezone(zone).date() if voucher.valid_from > voucher.issued_at else None,
        "minimum": voucher.terms.minimum_spend,
    }


def of_reward(reward: Reward) -> dict[str, Any]:
    """A reward, as a list and a detail show it."""
    return {
        "name": reward.name,
        "description": reward.description,
        "points": reward.price.points,
        "amount": reward.price.amount,
        "left": reward.stock,
    }


def refused(why: str, **values: Any) -> dict[str, Any]:
    """Why something cannot be had, with every value that its text may ask for."""
    return {"why": why, "balance": None, "limit": None, "starts_on": None, **values}


def of_refusal(error: DomainError, zone: ZoneInfo) -> dict[str, Any]:
    """Why something cannot be had: the error's code, and what it is about; its facts come as JSON values."""
    starts_at = error.facts.get("starts_at")
    return refused(
        error.code(),
        balance=error.facts.get("balance"),
        limit=error.facts.get("limit"),
        starts_on=None if starts_at is None else datetime.fromisoformat(str(starts_at)).astimezone(zone).date(),
    )
