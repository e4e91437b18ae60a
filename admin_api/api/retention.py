"""How long data is kept."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from admin_api.access import allow
from admin_api.deps import EdgeOf
from admin_api.routing import api_router
from admin_api.schemas import Body
from crm.operators.permissions import Permission
from crm.retention import service
from crm.retention.types import Rule

router = api_router("/api/v1/retention", "Retention")


class RuleView(BaseModel):
    """A class of data and the days for which it is kept."""

    key: str
    label: str
    days: int
    default_days: int
    least_days: int
    changed_at: datetime | None


class RuleChange(Body):
    """The new number of days; what is older is forgotten within hours, for good."""

    days: Annotated[int, Field(examples=[30])]


class RuleList(BaseModel):
    """All classes."""

    items: list[RuleView]


def rule_view(rule: Rule) -> RuleView:
    """As the API shows a rule."""
    return RuleView(**vars(rule))


@router.get("", dependencies=[allow(Permission.DATA_READ)], name="retention.list", summary="List retention rules")
async def list_rules(edge: EdgeOf) -> RuleList:
    """What is kept for how long; all else is kept for ever."""
    return RuleList(items=[rule_view(rule) for rule in await service.rules(edge.session)])


@router.patch(
    "/{key}", dependencies=[allow(Permission.DATA_WRITE)], name="retention.change", summary="Change a retention rule"
)
async def change_rule(edge: EdgeOf, key: str, body: RuleChange) -> RuleView:
    """Whole months are dropped once all of a month is older."""
    before = await service.rule(edge.session, key)
    rule = await service.change(edge.session, key, body.days)
    edge.note("retention.change", f"retention:{key}", before={"days": before.days}, after={"days": rule.days})
    return rule_view(rule)
