"""The tier programme in its form: what was typed as the body of the API, and back."""

from decimal import Decimal
from typing import Any

from starlette.datastructures import FormData

from admin_api.api.tiers import RulesBody
from admin_api.console.forms import deep_body_of
from admin_api.console.loyalty_forms import in_locale
from admin_api.edge import Edge
from crm.coupons.service import definitions as coupons
from crm.tiers import checking
from crm.tiers.types import Downgrade, Measure, Rules, Tier, Window

Typed = dict[str, Any]
_TEXTS = ("key", "name_zh", "name_en", "enter", "keep", "multiplier", "monthly_coupon_id", "birthday_coupon_id")
_FRAME = ("measure", "window", "months", "grace_days", "downgrade", "at_risk_days")
_MOST = 200
_EMPTY_ROWS = 2
EXAMPLE = Rules(
    measure=Measure.SPEND,
    window=Window.ROLLING,
    months=12,
    tiers=[
        Tier("silver", {"zh-CN": "银卡", "en": "Silver"}, Decimal(500), Decimal(400)),
        Tier("gold", {"zh-CN": "金卡", "en": "Gold"}, Decimal(2000), Decimal(1600), Decimal("1.5")),
    ],
)
"""What the form starts with where there is no programme; saved only when the operator does so."""


def read(sent: FormData) -> Typed:
    """The fields as they were typed, rows of tiers that say nothing left out."""
    rows = [
        {name: _text(sent, f"{name}-{number}") for name in _TEXTS}
        | {"has_priority": bool(_text(sent, f"has_priority-{number}"))}
        for number in range(checking.MAX_TIERS + _EMPTY_ROWS)
    ]
    filled = [row for row in rows if row["key"] or row["name_zh"] or row["name_en"] or row["enter"]]
    return {**{name: _text(sent, name) for name in _FRAME}, "tiers": filled}


def body(typed: Typed) -> RulesBody:
    """What the API takes. Raises InvalidForm with whole paths."""
    tiers = [
        {
            **{name: row[name] for name in ("key", "enter", "has_priority")},
            "keep": row["keep"] or row["enter"],
            "multiplier": row["multiplier"] or "1",
            "name": {"zh-CN": row["name_zh"], "en": row["name_en"]},
            **{name: row[name] or None for name in ("monthly_coupon_id", "birthday_coupon_id")},
        }
        for row in typed["tiers"]
    ]
    frame: Typed = {name: typed[name] for name in ("measure", "window", "downgrade")}
    frame["months"] = (typed["months"] or None) if typed["window"] == Window.ROLLING else None
    days = {name: typed[name] or 0 for name in ("grace_days", "at_risk_days")}
    return deep_body_of(RulesBody, {**frame, **days, "tiers": tiers})


def as_typed(rules: Rules) -> Typed:
    """A programme as the form shows it."""
    rows = [
        {
            **{name: getattr(tier, name) for name in ("key", "has_priority")},
            **{name: getattr(tier, name) or "" for name in ("monthly_coupon_id", "birthday_coupon_id")},
            **{name: _plain(getattr(tier, name)) for name in ("enter", "keep", "multiplier")},
            "name_zh": tier.name.get("zh-CN", ""),
            "name_en": tier.name.get("en", ""),
        }
        for tier in rules.tiers
    ]
    return {**{name: getattr(rules, name) for name in _FRAME}, "tiers": rows}


async def choices(edge: Edge, typed: Typed) -> dict[str, Any]:
    """What the form's page needs beside what was typed."""
    offered = [
        {"value": coupon.id, "label": in_locale(edge.acting, coupon.name)}
        for coupon in await coupons.listing(edge.session, active_only=True)
    ]
    blank = dict.fromkeys(_TEXTS, "") | {"has_priority": False}
    room = min(_EMPTY_ROWS, checking.MAX_TIERS - len(typed["tiers"]))
    return {
        "form": {**typed, "tiers": [*typed["tiers"], *([blank] * max(room, 0))]},
        "coupons": [{"value": "", "label": "–"}, *offered],
        "measures": list(Measure),
        "windows": list(Window),
        "downgrades": list(Downgrade),
    }


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _text(sent: FormData, name: str) -> str:
    value = sent.get(name, "")
    return value.strip()[:_MOST] if isinstance(value, str) else ""
