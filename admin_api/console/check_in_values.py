"""What forms about check-ins say: the settings and milestones as they are typed, and back."""

import re
from typing import Any

from pydantic import BaseModel

from admin_api.api.check_ins import MilestoneBody, MilestoneChange, ProgrammeBody
from admin_api.console.forms import body_of
from admin_api.console.loyalty_forms import Text, as_fields, filled, lines, texts
from crm.check_ins.types import Milestone, Programme
from crm.kit.errors import InvalidError

_EVENT = re.compile(r"\s*([a-z_]{1,64})\s+(\d{1,4})\s*")
_OPTIONAL = ("make_ups_per_month", "card_price", "bought_per_month")
_NUMBERS = ("days_back", "made_up_points", "most_cards", "passes_per_month", "insured_days", "insured_from", "places")


class WrongCardsLine(InvalidError):
    """Cards for events are a line each, such as: order_placed 1."""


class ProgrammeForm(BaseModel):
    """As it was typed."""

    days_back: Text = ""
    make_ups_per_month: Text = ""
    made_up_points: Text = ""
    has_made_up_milestones: Text = ""
    card_price: Text = ""
    bought_per_month: Text = ""
    most_cards: Text = ""
    cards_for: Text = ""
    insurance: Text = ""
    passes_per_month: Text = ""
    insured_days: Text = ""
    insured_from: Text = ""
    has_leaderboard: Text = ""
    places: Text = ""


class MilestoneForm(BaseModel):
    """As it was typed."""

    day: Text = "7"
    is_repeated: Text = ""
    points: Text = ""
    coupon_id: Text = ""
    cards: Text = ""
    badge_zh: Text = ""
    badge_en: Text = ""


def programme_body(form: ProgrammeForm) -> ProgrammeBody:
    """What the API takes; empty numbers stay as where nobody chose. Raises InvalidForm, WrongCardsLine."""
    typed = form.model_dump()
    numbers = {name: typed[name].strip() for name in _NUMBERS if typed[name].strip()}
    flags = {name: bool(typed[name]) for name in ("has_made_up_milestones", "has_leaderboard")}
    more = {"insurance": typed["insurance"] or "off", "cards_for": _cards_for(form.cards_for)}
    return body_of(ProgrammeBody, **numbers, **filled(typed, *_OPTIONAL), **flags, **more)


def programme_form(programme: Programme) -> dict[str, Any]:
    """The settings as their form shows them."""
    cards = [f"{kind} {count}" for kind, count in sorted(programme.cards_for.items())]
    optional = {name: "" if getattr(programme, name) is None else getattr(programme, name) for name in _OPTIONAL}
    return {
        **vars(programme),
        **optional,
        "insurance": programme.insurance.value,
        "cards_for": "\n".join(cards),
    }


def milestone_body(form: MilestoneForm) -> MilestoneBody:
    """What the API takes to make one. Raises InvalidForm."""
    return body_of(MilestoneBody, **_milestone(form))


def milestone_change(form: MilestoneForm) -> MilestoneChange:
    """What the API takes to change one. Raises InvalidForm."""
    return body_of(MilestoneChange, **_milestone(form))


def milestone_form(milestone: Milestone) -> dict[str, Any]:
    """A stored milestone as its form shows it."""
    numbers = {name: getattr(milestone, name) or "" for name in ("points", "coupon_id", "cards")}
    badge = as_fields("badge", milestone.badge)
    return {"day": milestone.day, "is_repeated": milestone.is_repeated, **numbers, **badge}


def _milestone(form: MilestoneForm) -> dict[str, Any]:
    typed = form.model_dump()
    numbers = {name: typed[name].strip() or 0 for name in ("points", "cards")}
    return {
        "day": typed["day"].strip(),
        "is_repeated": bool(typed["is_repeated"]),
        "badge": texts(typed, "badge"),
        **numbers,
        **filled(typed, "coupon_id"),
    }


def _cards_for(text: str) -> dict[str, int]:
    return {match[1]: int(match[2]) for match in lines(text, _EVENT, WrongCardsLine, path="cards_for")}
