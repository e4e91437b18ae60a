"""Rewards in forms and on pages: what was typed as bodies of the API, and back."""

import re
from typing import Any

from pydantic import BaseModel

from admin_api.api.rewards import AccessBody, PriceBody, RewardBody, RewardChange
from admin_api.console.forms import body_of, parts
from admin_api.console.loyalty_forms import Text, as_fields, filled, in_locale, lines, moments, texts
from admin_api.console.pages import formats_of
from admin_api.edge import Edge
from crm.coupons.service import definitions as coupons
from crm.kit.errors import InvalidError
from crm.rewards.service import catalogue
from crm.rewards.types import Reward, RewardKind

_TIER_LIMIT = re.compile(r"\s*(.{1,50}?)\s*[:：=\s]\s*(\d{1,7})\s*")


class WrongTierLimit(InvalidError):
    """A limit of a tier looks like gold: 3, one a line."""


class RewardForm(BaseModel):
    """What the form of a reward posts."""

    name_zh: Text = ""
    name_en: Text = ""
    description_zh: Text = ""
    description_en: Text = ""
    kind: Text = RewardKind.VOUCHER.value
    coupon_id: Text = ""
    points: Text = ""
    amount: Text = ""
    stock: Text = ""
    limit_per_member: Text = ""
    tiers: Text = ""
    tier_limits: Text = ""
    starts_at: Text = ""
    ends_at: Text = ""
    needs_address: bool = False
    position: Text = ""


async def new_body(edge: Edge, form: RewardForm) -> RewardBody:
    """What the API takes to make a reward. Raises InvalidForm, WrongMomentError, WrongTierLimit."""
    typed = form.model_dump()
    is_voucher = form.kind == RewardKind.VOUCHER
    return body_of(
        RewardBody,
        **await _common(edge, typed),
        kind=form.kind,
        coupon_id=(form.coupon_id or None) if is_voucher else None,
        needs_address=form.needs_address and not is_voucher,
        **filled(typed, "stock"),
    )


async def change_body(edge: Edge, form: RewardForm) -> RewardChange:
    """What the API takes to change a reward; kind, coupon and address stay. Raises as `new_body`."""
    return body_of(RewardChange, **await _common(edge, form.model_dump()))


async def _common(edge: Edge, typed: dict[str, Any]) -> dict[str, Any]:
    access = body_of(
        AccessBody,
        **filled(typed, "limit_per_member"),
        tiers=parts([typed["tiers"]]),
        tier_limits=_tier_limits(typed["tier_limits"]),
        **await moments(edge, typed),
    )
    return {
        "name": texts(typed, "name"),
        "description": texts(typed, "description"),
        "price": body_of(PriceBody, points=typed["points"].strip(), **filled(typed, "amount")),
        "access": access,
        "position": typed["position"].strip() or 0,
    }


def _tier_limits(text: str) -> dict[str, int]:
    return {match[1]: int(match[2]) for match in lines(text, _TIER_LIMIT, WrongTierLimit, path="tier_limits")}


async def form_of(edge: Edge, reward: Reward) -> dict[str, Any]:
    """A stored reward as its form shows it."""
    formats = await formats_of(edge)
    access, price = reward.access, reward.price
    return {
        **as_fields("name", reward.name),
        **as_fields("description", reward.description),
        "kind": reward.kind,
        "coupon_id": reward.coupon_id or "",
        "points": price.points,
        "amount": "" if price.amount is None else price.amount,
        "limit_per_member": access.limit_per_member or "",
        "tiers": ", ".join(access.tiers),
        "tier_limits": "\n".join(f"{tier}: {limit}" for tier, limit in access.tier_limits.items()),
        "starts_at": formats.field(access.starts_at),
        "ends_at": formats.field(access.ends_at),
        "needs_address": reward.needs_address,
        "position": reward.position,
    }


async def choices(edge: Edge) -> dict[str, Any]:
    """What the form's lists offer."""
    found = await coupons.listing(edge.session)
    titles = {coupon.id: in_locale(edge.acting, coupon.name) for coupon in found}
    offered = [{"value": coupon.id, "label": titles[coupon.id]} for coupon in found if coupon.is_active]
    return {"coupon_titles": titles, "coupons": offered, "kinds": list(RewardKind)}


async def detail(edge: Edge, reward_id: int) -> dict[str, Any]:
    """Everything that the page of one reward shows."""
    reward = await catalogue.get(edge.session, reward_id)
    return {"reward": reward, "heading": in_locale(edge.acting, reward.name), **await choices(edge)}
