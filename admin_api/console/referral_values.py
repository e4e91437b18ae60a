"""Referral programmes in forms: what was typed as bodies of the API, and back."""

import re
from typing import Any

from pydantic import BaseModel

from admin_api.api.referrals import GiftBody, ProgrammeBody, ProgrammeChange, TermsBody
from admin_api.console.forms import body_of
from admin_api.console.loyalty_forms import Text, as_fields, filled, in_locale, lines, moments, texts
from admin_api.console.pages import formats_of
from admin_api.edge import Edge
from crm.coupons.service import definitions as coupons
from crm.kit.errors import InvalidError
from crm.referrals.types import Act, Gift, Programme

_LEVEL = re.compile(r"\s*(\d{1,5})\s*[:：=]\s*(\d{1,10})\s*(?:[,，+]\s*#?(\d{1,18}))?\s*")
_WHOLE = ("second_percent", "per_hour", "per_day")


class WrongLevel(InvalidError):
    """A level looks like 3: 300, one a line: friends, points, and perhaps a comma and a coupon's number."""


class ProgrammeForm(BaseModel):
    """What the form of a programme posts."""

    name: Text = ""
    headline_zh: Text = ""
    headline_en: Text = ""
    act: Text = Act.SIGN_UP.value
    minimum_order: Text = ""
    referrer_points: Text = ""
    referrer_coupon_id: Text = ""
    friend_points: Text = ""
    friend_coupon_id: Text = ""
    levels: Text = ""
    second_percent: Text = ""
    qualify_days: Text = ""
    points_last_days: Text = ""
    starts_at: Text = ""
    ends_at: Text = ""
    per_referrer: Text = ""
    per_hour: Text = "10"
    per_day: Text = "30"
    budget_points: Text = ""


async def new_body(edge: Edge, form: ProgrammeForm) -> ProgrammeBody:
    """What the API takes to make a programme. Raises InvalidForm, WrongMomentError, WrongLevel."""
    return body_of(ProgrammeBody, **await _common(edge, form.model_dump()))


async def change_body(edge: Edge, form: ProgrammeForm) -> ProgrammeChange:
    """What the API takes to change one. Raises as `new_body`."""
    return body_of(ProgrammeChange, **await _common(edge, form.model_dump()))


async def _common(edge: Edge, typed: dict[str, Any]) -> dict[str, Any]:
    terms = body_of(
        TermsBody,
        act=typed["act"],
        referrer=_gift(typed, "referrer"),
        friend=_gift(typed, "friend"),
        levels=_levels(typed["levels"]),
        **filled(typed, "minimum_order", "qualify_days", "points_last_days", "per_referrer", "budget_points"),
        **{name: typed[name].strip() for name in _WHOLE if typed[name].strip()},
        **await moments(edge, typed),
    )
    return {"name": typed["name"], "headline": texts(typed, "headline"), "terms": terms}


def _gift(typed: dict[str, Any], whose: str) -> GiftBody:
    points, coupon_id = typed[f"{whose}_points"].strip(), typed[f"{whose}_coupon_id"].strip()
    return body_of(GiftBody, points=points or 0, coupon_id=coupon_id or None)


def _levels(text: str) -> list[dict[str, Any]]:
    return [
        {"friends": int(match[1]), "points": int(match[2]), "coupon_id": int(match[3]) if match[3] else None}
        for match in lines(text, _LEVEL, WrongLevel, path="levels")
    ]


async def form_of(edge: Edge, programme: Programme) -> dict[str, Any]:
    """A stored programme as its form shows it."""
    formats, terms, limits = await formats_of(edge), programme.terms, programme.terms.limits
    levels = [f"{level.friends}: {_written(level.gift)}" for level in terms.levels]
    return {
        "name": programme.name,
        **as_fields("headline", programme.headline),
        "act": terms.act.value,
        "minimum_order": "" if terms.minimum_order is None else terms.minimum_order,
        "referrer_points": terms.referrer.points,
        "referrer_coupon_id": terms.referrer.coupon_id or "",
        "friend_points": terms.friend.points,
        "friend_coupon_id": terms.friend.coupon_id or "",
        "levels": "\n".join(levels),
        "second_percent": terms.second_percent,
        "qualify_days": terms.qualify_days or "",
        "points_last_days": terms.points_last_days or "",
        "starts_at": formats.field(terms.starts_at),
        "ends_at": formats.field(terms.ends_at),
        "per_referrer": limits.per_referrer or "",
        "per_hour": limits.per_hour,
        "per_day": limits.per_day,
        "budget_points": "" if limits.budget_points is None else limits.budget_points,
    }


def _written(gift: Gift) -> str:
    return str(gift.points) if gift.coupon_id is None else f"{gift.points}, {gift.coupon_id}"


async def choices(edge: Edge) -> dict[str, Any]:
    """What the form's lists offer."""
    found = await coupons.listing(edge.session, active_only=True)
    return {"coupons": [{"value": one.id, "label": f"#{one.id} {in_locale(edge.acting, one.name)}"} for one in found]}
