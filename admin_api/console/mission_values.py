"""What forms about missions and badges say: steps a line each, such as `order_placed 1 amount >= 100`."""

import re
from typing import Any

from pydantic import BaseModel

from admin_api.api.missions import FilterBody, MissionBody, MissionChange, RewardsBody, StepBody
from admin_api.console.forms import body_of, parts
from admin_api.console.loyalty_forms import Text, as_fields, filled, moments, texts
from admin_api.edge import Edge
from crm.kit.errors import InvalidError
from crm.missions.types import Comparison, Mission, Step, Window

_STEP = re.compile(r"\s*([a-z_]{1,64})(?:\s+(\d{1,6}))?\s*(.*)")
_FILTER = re.compile(r"([\w.]{1,64})\s*(>=|<=|=)\s*(\S+)")
_TESTS = {"=": Comparison.EQUALS, ">=": Comparison.AT_LEAST, "<=": Comparison.AT_MOST}
_SIGNS = {test: sign for sign, test in _TESTS.items()}


class WrongStep(InvalidError):
    """A step is a line such as: checked_in 3, or order_placed 1 amount >= 100."""


class MissionForm(BaseModel):
    """As it was typed."""

    name_zh: Text = ""
    name_en: Text = ""
    description_zh: Text = ""
    description_en: Text = ""
    steps: Text = "checked_in 3\norder_placed 1"
    window: Text = Window.MONTHLY.value
    points: Text = ""
    coupon_id: Text = ""
    badge_id: Text = ""
    draw_id: Text = ""
    draw_chances: Text = ""
    tiers: Text = ""
    starts_at: Text = ""
    ends_at: Text = ""
    position: Text = "0"


async def new_body(edge: Edge, form: MissionForm) -> MissionBody:
    """What the API takes to make a mission. Raises InvalidForm, WrongStep, WrongMomentError."""
    typed = form.model_dump()
    more = {"steps": [_step(line) for line in form.steps.splitlines() if line.strip()], "window": form.window}
    return body_of(MissionBody, **_common(typed), **more, tiers=parts([form.tiers]), **await moments(edge, typed))


def change_body(form: MissionForm) -> MissionChange:
    """What the API takes to change one; steps and window stay. Raises InvalidForm."""
    return body_of(MissionChange, **_common(form.model_dump()))


def form_of(mission: Mission) -> dict[str, Any]:
    """A stored mission as its form shows it."""
    rewards = {name: value or "" for name, value in vars(mission.rewards).items()}
    return {
        **as_fields("name", mission.name),
        **as_fields("description", mission.description),
        **rewards,
        "position": mission.position,
    }


def asked(step: Step) -> str:
    """What a step asks of its event, such as `amount >= 100`."""
    return ", ".join(f"{one.field} {_SIGNS[one.test]} {one.value}" for one in step.where)


def _common(typed: dict[str, Any]) -> dict[str, Any]:
    numbers = {name: typed[name].strip() or 0 for name in ("points", "draw_chances")}
    return {
        "name": texts(typed, "name"),
        "description": texts(typed, "description"),
        "rewards": body_of(RewardsBody, **numbers, **filled(typed, "coupon_id", "badge_id", "draw_id")),
        "position": typed["position"].strip() or 0,
    }


def _step(line: str) -> StepBody:
    found = _STEP.fullmatch(line.strip())
    filters = [] if found is None else _FILTER.findall(found[3])
    if found is None or _FILTER.sub("", found[3]).strip():
        raise WrongStep(path="steps", line=line[:100])
    where = [FilterBody(field=field, test=_TESTS[sign], value=value) for field, sign, value in filters]
    return body_of(StepBody, event=found[1], count=found[2] or 1, where=where)
