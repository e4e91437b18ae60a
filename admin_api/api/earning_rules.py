"""Earning rules: what gives points."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, Field

from admin_api.access import allow
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.routing import api_router
from admin_api.schemas import Body, Id, IdPath, Moment, PageOf
from crm.operators.permissions import Permission
from crm.points import earning_rules as service
from crm.points import trials
from crm.points.capping import Budget
from crm.points.checking import RuleText
from crm.points.errors import InvalidRule
from crm.points.kinds import kinds
from crm.points.terms import MAX_SUM, Over, Terms
from crm.points.trials import Trial
from crm.points.types import EarningRule
from crm.segments import service as segments
from crm.segments.errors import SegmentArchivedError, SegmentNotFoundError

router = api_router("/api/v1/earning-rules", "Earning rules")
_READ, _WRITE = allow(Permission.EARNING_RULES_READ), allow(Permission.EARNING_RULES_WRITE)
Name = Annotated[str, Field(min_length=1, max_length=200)]
Values = Annotated[dict[str, Any], Field(max_length=50, examples=[{"points": 10}])]


TermsValues = Annotated[
    dict[str, Any],
    Field(max_length=20, examples=[{"when": "points > 0", "formula": "points * 2", "caps": {"member_day": 50}}]),
]


class RuleKindView(BaseModel):
    """A kind of rule with the JSON Schema of its parameters."""

    kind: str
    label: str
    event: str | None = Field(description="Kind of event that it reacts to; null when it is granted by hand.")
    parameters: dict[str, Any]
    terms: dict[str, Any] = Field(description="JSON Schema of the terms that every kind takes.")


class NewEarningRule(Body):
    """A rule, in force from now on."""

    kind: Annotated[str, Field(max_length=100, examples=["check_in"])]
    name: Name
    parameters: Annotated[Values, Field(default_factory=dict)]
    terms: Annotated[TermsValues, Field(default_factory=dict)]
    is_active: bool = True
    valid_from: Moment | None = None
    valid_until: Moment | None = None


class EarningRuleChange(Body):
    """Fields to change; what is left out stays, null ends a bound in time."""

    name: Name = ""
    parameters: Annotated[Values, Field(default_factory=dict)]
    terms: Annotated[TermsValues, Field(default_factory=dict)]
    is_active: bool = True
    valid_from: Moment | None = None
    valid_until: Moment | None = None


class RuleDraft(Body):
    """A rule that is not saved."""

    rule_id: Annotated[Id | None, Field(description="The rule in whose place it is tried; null: beside all.")] = None
    kind: Annotated[str, Field(max_length=100, examples=["check_in"])]
    name: Name = "Draft"
    parameters: Annotated[Values, Field(default_factory=dict)]
    terms: Annotated[TermsValues, Field(default_factory=dict)]


class RuleTrial(RuleDraft):
    """A rule and the member to try it on."""

    member_id: Id


class BudgetView(Body):
    """What all rules together may give in a month; null: no limit."""

    month_budget: Annotated[int | None, Field(ge=1, le=MAX_SUM, examples=[500000])] = None
    over: Over = Over.PARTIAL


def text_of(body: RuleDraft) -> RuleText:
    """What the domain checks."""
    return RuleText(body.kind, body.name, body.parameters, terms=body.terms)


async def check_segments(edge: Edge, terms: Mapping[str, Any]) -> None:
    """Refuse segments that are not there: rules themselves do not know segments. Raises InvalidRule."""
    audience = terms.get("audience")
    wanted = audience.get("segment_ids") if isinstance(audience, Mapping) else None
    for segment_id in wanted if isinstance(wanted, list) else []:
        try:
            await segments.rule_of(edge.session, segment_id if isinstance(segment_id, int) else 0)
        except (SegmentNotFoundError, SegmentArchivedError) as error:
            path = "terms.audience.segment_ids"
            message = f"there is no segment {segment_id} in use; choose one of the list of segments"
            raise InvalidRule(f"{path}: {message}", problems={path: message}) from error


def _budget(found: Budget | None) -> BudgetView:
    return BudgetView() if found is None else BudgetView(month_budget=found.month, over=found.over)


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
                terms=Terms.model_json_schema() if kind.event else {},
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
    await check_segments(edge, body.terms)
    rule = await service.create(edge.session, **{name: getattr(body, name) for name in NewEarningRule.model_fields})
    edge.note("earning_rule.create", f"earning_rule:{rule.id}", after=body.model_dump(mode="json"))
    return rule


@router.get("/budget", dependencies=[_READ], name="earning_rule.budget", summary="Read the budget of all rules")
async def read_budget(edge: EdgeOf) -> BudgetView:
    """What all rules together may give in a month."""
    return _budget(await service.budget(edge.session))


@router.put("/budget", dependencies=[_WRITE], name="earning_rule.set_budget", summary="Set the budget of all rules")
async def set_budget(edge: EdgeOf, body: BudgetView) -> BudgetView:
    """Counts from now on."""
    before = _budget(await service.budget(edge.session)).model_dump(mode="json")
    await service.set_budget(edge.session, body.month_budget, body.over)
    edge.note("earning_rule.set_budget", "earning_programme", before=before, after=body.model_dump(mode="json"))
    return _budget(await service.budget(edge.session))


@router.post("/try", dependencies=[_READ], name="earning_rule.try", summary="Try a rule on a member")
async def try_rule(edge: EdgeOf, body: RuleTrial) -> Trial:
    """What the rule would give for the member's last event of its kind, and why; nothing is posted."""
    return await trials.try_on(edge.session, text_of(body), body.member_id, body.rule_id)


@router.get("/{rule_id}/versions", dependencies=[_READ], name="earning_rule.versions", summary="List a rule's versions")
async def list_versions(edge: EdgeOf, rule_id: IdPath) -> PageOf[EarningRule]:
    """Everything that the rule ever said, newest first; awards name the version that was in force."""
    return PageOf(items=await service.versions(edge.session, rule_id))


@router.get("/{rule_id}", dependencies=[_READ], name="earning_rule.read", summary="Read an earning rule")
async def read_rule(edge: EdgeOf, rule_id: IdPath) -> EarningRule:
    """One rule as it is now."""
    return await service.get(edge.session, rule_id)


@router.patch("/{rule_id}", dependencies=[_WRITE], name="earning_rule.change", summary="Change an earning rule")
async def change_rule(edge: EdgeOf, rule_id: IdPath, body: EarningRuleChange) -> EarningRule:
    """Makes a new version; events of before keep to the version of their time."""
    before = await service.get(edge.session, rule_id)
    given = {name: getattr(body, name) for name in body.model_fields_set}
    await check_segments(edge, given.get("terms", {}))
    rule = await service.change(edge.session, rule_id, **given)
    edge.note(
        "earning_rule.change",
        f"earning_rule:{rule_id}",
        before={name: getattr(before, name) for name in ("parameters", "terms", "is_active")},
        after={name: getattr(rule, name) for name in ("parameters", "terms", "is_active")},
    )
    return rule
