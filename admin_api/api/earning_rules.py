"""Earning rules: what gives points."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from admin_api.access import allow
from admin_api.deps import EdgeOf
from admin_api.routing import api_router
from admin_api.schemas import Body, IdPath, Moment, PageOf
from crm.operators.permissions import Permission
from crm.points import earning_rules as service
from crm.points.kinds import kinds
from crm.points.types import EarningRule

router = api_router("/api/v1/earning-rules", "Earning rules")
_READ, _WRITE = allow(Permission.EARNING_RULES_READ), allow(Permission.EARNING_RULES_WRITE)
Name = Annotated[str, Field(min_length=1, max_length=200)]
Values = Annotated[dict[str, Any], Field(max_length=50, examples=[{"points": 10}])]


class RuleKindView(BaseModel):
    """A kind of rule with the JSON Schema of its parameters."""

    kind: str
    label: str
    event: str | None = Field(description="Kind of event that it reacts to; null when it is granted by hand.")
    parameters: dict[str, Any]


class NewEarningRule(Body):
    """A rule, in force from now on."""

    kind: Annotated[str, Field(max_length=100, examples=["check_in"])]
    name: Name
    parameters: Annotated[Values, Field(default_factory=dict)]
    is_active: bool = True
    valid_from: Moment | None = None
    valid_until: Moment | None = None


class EarningRuleChange(Body):
    """Fields to change; what is left out stays, null ends a bound in time."""

    name: Name = ""
    parameters: Annotated[Values, Field(default_factory=dict)]
    is_active: bool = True
    valid_from: Moment | None = None
    valid_until: Moment | None = None


@router.get("/kinds", dependencies=[_READ], name="earning_rule.kinds", summary="List kinds of rules")
async def list_kinds() -> PageOf[RuleKindView]:
    """What can give points."""
    return PageOf(
        items=[
            RuleKindView(
                kind=kind.name,
                label=kind.label,
                event=kind.event.kind if kind.event else None,
                parameters=kind.parameters.model_json_schema(),
            )
            for kind in kinds().values()
        ]
    )


@router.get("", dependencies=[_READ], name="earning_rule.list", summary="List earning rules")
async def list_rules(edge: EdgeOf) -> PageOf[EarningRule]:
    """Oldest first, inactive ones too."""
    return PageOf(items=await service.listing(edge.session))


@router.post("", dependencies=[_WRITE], name="earning_rule.create", summary="Make an earning rule", status_code=201)
async def create_rule(edge: EdgeOf, body: NewEarningRule) -> EarningRule:
    """Events from now on meet it."""
    rule = await service.create(edge.session, **{name: getattr(body, name) for name in NewEarningRule.model_fields})
    edge.note("earning_rule.create", f"earning_rule:{rule.id}", after=body.model_dump(mode="json"))
    return rule


@router.get("/{rule_id}", dependencies=[_READ], name="earning_rule.read", summary="Read an earning rule")
async def read_rule(edge: EdgeOf, rule_id: IdPath) -> EarningRule:
    """One rule as it is now."""
    return await service.get(edge.session, rule_id)


@router.patch("/{rule_id}", dependencies=[_WRITE], name="earning_rule.change", summary="Change an earning rule")
async def change_rule(edge: EdgeOf, rule_id: IdPath, body: EarningRuleChange) -> EarningRule:
    """Makes a new version; events of before keep to the version of their time."""
    before = await service.get(edge.session, rule_id)
    given = {name: getattr(body, name) for name in body.model_fields_set}
    rule = await service.change(edge.session, rule_id, **given)
    edge.note(
        "earning_rule.change",
        f"earning_rule:{rule_id}",
        before={"parameters": dict(before.parameters), "is_active": before.is_active},
        after={"parameters": dict(rule.parameters), "is_active": rule.is_active},
    )
    return rule
