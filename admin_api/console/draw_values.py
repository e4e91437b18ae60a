"""What forms about draws say and show: prizes a line each, odds in per cent."""

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from pydantic import BaseModel

from admin_api.api.draws import DrawBody, PrizeBody, RulesBody, TermsBody
from admin_api.console.forms import body_of, parts
from admin_api.console.loyalty_forms import Text, as_fields, filled, lines, moments, texts
from admin_api.console.pages import formats_of
from admin_api.edge import Edge
from crm.draws import policy
from crm.draws.fairness import MILLION
from crm.draws.types import Draw, DrawKind, Prize, PrizeKind
from crm.kit.errors import InvalidError

_PERCENT, _CELLS = 10_000, 5
_WHAT = re.compile(r"(points|coupon|goods|nothing)\s*(\d{0,10})")
_EARNED = re.compile(r"\s*([a-z_]+)\s*[:：]\s*(\d{1,4})\s*")
SAMPLE = (
    "10 | goods | 3 | 茶叶罐 | Tin of tea\n30 | points 50 | | 50 积分 | 50 points\n| nothing | | 下次再来 | Next time"
)


class WrongPrizeLine(InvalidError):
    """A prize is a line such as: 10 | goods | 3 | 茶叶罐 | Tin of tea."""


class WrongEarning(InvalidError):
    """An event that gives chances looks like order_placed: 1, one a line."""


class DrawForm(BaseModel):
    """As it was typed."""

    name_zh: Text = ""
    name_en: Text = ""
    description_zh: Text = ""
    description_en: Text = ""
    kind: Text = DrawKind.LUCKY.value
    prizes: Text = SAMPLE
    points: Text = ""
    packets: Text = ""
    free_per_day: Text = "1"
    price: Text = ""
    bought_per_day: Text = "10"
    earned_by: Text = ""
    tiers: Text = ""
    stages: Text = ""
    minimum_orders: Text = "0"
    starts_at: Text = ""
    ends_at: Text = ""


async def body(edge: Edge, form: DrawForm) -> DrawBody:
    """What the API takes. Raises InvalidForm, WrongPrizeLine, WrongEarning, WrongMomentError."""
    typed = form.model_dump()
    is_lucky = form.kind == DrawKind.LUCKY.value
    shared = {"points": form.points.strip() or 0, "packets": form.packets.strip() or 0}
    rules = body_of(
        RulesBody,
        kind=form.kind,
        prizes=[_prize(line) for line in form.prizes.splitlines() if line.strip()] if is_lucky else [],
        **({} if is_lucky else shared),
    )
    terms = body_of(
        TermsBody,
        free_per_day=form.free_per_day.strip() or 0,
        bought_per_day=form.bought_per_day.strip() or 0,
        minimum_orders=form.minimum_orders.strip() or 0,
        earned_by=_earned(form.earned_by),
        tiers=parts([form.tiers]),
        stages=parts([form.stages]),
        **filled(typed, "price"),
        **await moments(edge, typed),
    )
    named = {"name": texts(typed, "name"), "description": texts(typed, "description")}
    return body_of(DrawBody, **named, rules=rules, terms=terms)


async def form_of(edge: Edge, draw: Draw) -> dict[str, Any]:
    """A stored draw as its form shows it."""
    formats, terms = await formats_of(edge), draw.terms
    return {
        **as_fields("name", draw.name),
        **as_fields("description", draw.description),
        "kind": draw.rules.kind.value,
        "prizes": "\n".join(_line(prize) for prize in draw.rules.prizes),
        "points": draw.rules.points or "",
        "packets": draw.rules.packets or "",
        "free_per_day": terms.free_per_day,
        "price": terms.price or "",
        "bought_per_day": terms.bought_per_day,
        "earned_by": "\n".join(f"{kind}: {count}" for kind, count in terms.earned_by.items()),
        "tiers": ", ".join(terms.tiers),
        "stages": ", ".join(terms.stages),
        "minimum_orders": terms.minimum_orders,
        "starts_at": formats.field(terms.starts_at),
        "ends_at": formats.field(terms.ends_at),
    }


def _prize(line: str) -> PrizeBody:
    cells = [cell.strip() for cell in line.replace("｜", "|").split("|")]
    what = _WHAT.fullmatch(cells[1].lower()) if len(cells) == _CELLS else None
    if what is None:
        raise WrongPrizeLine(path="prizes", line=line[:100])
    kind, number = PrizeKind(what[1]), int(what[2] or 0)
    return body_of(
        PrizeBody,
        name={locale: text for locale, text in (("zh-CN", cells[3]), ("en", cells[4])) if text},
        kind=kind,
        odds=_millionths(cells[0], line),
        points=number if kind is PrizeKind.POINTS else 0,
        coupon_id=number if kind is PrizeKind.COUPON else None,
        stock=cells[2] or None,
    )


def _millionths(text: str, line: str) -> int:
    try:
        odds = Decimal(text.rstrip("% ％") or 0) * _PERCENT
        if odds.is_finite() and 0 <= odds <= MILLION and odds == int(odds):
            return int(odds)
    except (InvalidOperation, OverflowError):
        pass
    raise WrongPrizeLine(path="prizes", line=line[:100])


def _line(prize: Prize) -> str:
    what = f"{prize.kind.value} {prize.points or prize.coupon_id or ''}".strip()
    odds = policy.percent(prize.odds) if prize.odds else ""
    cells = (odds, what, prize.stock or "", prize.name.get("zh-CN", ""), prize.name.get("en", ""))
    return " | ".join(str(cell) for cell in cells)


def _earned(text: str) -> dict[str, int]:
    return {match[1]: int(match[2]) for match in lines(text, _EARNED, WrongEarning, path="earned_by")}
