"""Earning rules: list, form made from the kind's schema, versions."""

from collections.abc import Mapping
from typing import Any

from fastapi import Response
from starlette.datastructures import FormData

from admin_api.access import allow
from admin_api.addresses import ROOT
from admin_api.api import earning_rules as api
from admin_api.console import earning_terms, schema_forms, typed
from admin_api.console.loyalty_forms import in_locale
from admin_api.console.pages import again, redirect, render, say
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.routing import page_router
from admin_api.schemas import IdPath
from crm.activities.service import definitions as activities
from crm.campaigns import service as campaigns
from crm.kit.errors import DomainError
from crm.operators.permissions import Permission
from crm.points import earning_rules as service
from crm.points import telling
from crm.points.defaults import SHIPPED_NAMES
from crm.points.kinds import RuleKind, kind_named, kinds
from crm.points.terms import Over
from crm.points.types import EarningRule
from crm.surveys import service as surveys

router = page_router(f"{ROOT}/earning-rules")
HERE = f"{ROOT}/earning-rules"
_READ, _WRITE = allow(Permission.EARNING_RULES_READ), allow(Permission.EARNING_RULES_WRITE)
_PAGE = "earning_rules/form"
_MOST = 2000
_DIGITS = 19
"""Of the largest number of a rule."""


@router.get("", dependencies=[_READ], name="earning_rule.list_page")
async def list_page(edge: EdgeOf) -> Response:
    """Every rule with what it gives, in the words that members read."""
    return await render(edge, "earning_rules/list", nav="earning_rules", **await _listed(edge))


@router.get("/new", dependencies=[_WRITE], name="earning_rule.new_page")
async def new_page(edge: EdgeOf, kind: str = "") -> Response:
    """The form of one kind, or the choice of kinds."""
    if kind not in kinds():
        offered = [
            {"name": item.name, "label": say(edge, item.label), "help": say(edge, (type(item).__doc__ or "").strip())}
            for item in kinds().values()
        ]
        return await render(edge, "earning_rules/choose", nav="earning_rules", kinds=offered)
    chosen = kind_named(kind)
    form = {"name": say(edge, chosen.label), "valid_from": "", "valid_until": "", "terms": {}}
    return await render(edge, _PAGE, nav="earning_rules", **await _shown(edge, None, chosen, form, {}))


@router.post("", dependencies=[_WRITE], name="earning_rule.create_by_form")
async def create(edge: EdgeOf) -> Response:
    """A rule, in force from now on."""
    sent = await edge.request.form()
    kind = kind_named(typed_text(sent, "kind"))
    parameters = _parameters(sent, kind)
    try:
        fields = {**await _read(edge, sent, parameters), "terms": _terms(sent, kind)}
        await api.create_rule(edge, api.NewEarningRule.model_construct(kind=kind.name, is_active=True, **fields))
    except DomainError as error:
        return await _again(edge, error, None, kind, sent)
    return redirect(edge, HERE, done="The rule is in force.")


@router.post("/try", dependencies=[_WRITE], name="earning_rule.try_by_form")
async def try_on(edge: EdgeOf) -> Response:
    """The form once more, with what the typed rule would give a member; nothing is saved."""
    sent = await edge.request.form()
    draft = draft_in(sent)
    kind = kind_named(draft["kind"])
    try:
        member_id = typed.chosen(typed_text(sent, "member_id"))
        trial = await api.try_rule(edge, api.RuleTrial.model_construct(**draft, member_id=member_id))
    except DomainError as error:
        return await form_again(edge, error, sent)
    rule = await service.get(edge.session, draft["rule_id"]) if draft["rule_id"] else None
    values = await _shown(edge, rule, kind, _typed(sent, kind), draft["parameters"])
    return await render(edge, _PAGE, nav="earning_rules", **values, trial=trial, member_id=member_id)


@router.post("/budget", dependencies=[_WRITE], name="earning_rule.set_budget_by_form")
async def set_budget(edge: EdgeOf) -> Response:
    """What all rules together may give in a month."""
    sent = await edge.request.form()
    try:
        month = typed.whole(typed_text(sent, "month_budget"), -1)
        over = Over.REFUSE if typed_text(sent, "over") == Over.REFUSE else Over.PARTIAL
        body = api.BudgetView.model_construct(month_budget=None if month == -1 else month, over=over)
        await api.set_budget(edge, body)
    except DomainError as error:
        return await again(edge, "earning_rules/list", error, nav="earning_rules", **await _listed(edge))
    return redirect(edge, HERE, done="The budget is saved; it counts from now on.")


@router.get("/{rule_id}", dependencies=[_READ], name="earning_rule.page")
async def rule_page(edge: EdgeOf, rule_id: IdPath) -> Response:
    """One rule in its form."""
    rule = await service.get(edge.session, rule_id)
    values = await _shown(edge, rule, kind_named(rule.kind), vars(rule), rule.parameters)
    return await render(edge, _PAGE, nav="earning_rules", **values)


@router.post("/{rule_id}", dependencies=[_WRITE], name="earning_rule.change_by_form")
async def change(edge: EdgeOf, rule_id: IdPath) -> Response:
    """A new version; events of before keep to the version of their time."""
    sent = await edge.request.form()
    rule = await service.get(edge.session, rule_id)
    kind = kind_named(rule.kind)
    try:
        fields = {**await _read(edge, sent, _parameters(sent, kind)), "terms": _terms(sent, kind)}
        await api.change_rule(edge, rule_id, api.EarningRuleChange.model_construct(**fields))
    except DomainError as error:
        return await _again(edge, error, rule, kind, sent)
    return redirect(edge, f"{HERE}/{rule_id}", done="The rule is saved; it counts from now on.")


@router.post("/{rule_id}/activate", dependencies=[_WRITE], name="earning_rule.activate_by_form")
async def activate(edge: EdgeOf, rule_id: IdPath) -> Response:
    """Gives points again from now on."""
    await api.change_rule(edge, rule_id, api.EarningRuleChange.model_validate({"is_active": True}))
    return redirect(edge, f"{HERE}/{rule_id}", done="The rule is in force.")


@router.post("/{rule_id}/deactivate", dependencies=[_WRITE], name="earning_rule.deactivate_by_form")
async def deactivate(edge: EdgeOf, rule_id: IdPath) -> Response:
    """Gives no points from now on; what was given stays."""
    await api.change_rule(edge, rule_id, api.EarningRuleChange.model_validate({"is_active": False}))
    return redirect(edge, f"{HERE}/{rule_id}", done="The rule gives no more points.")


def draft_in(sent: FormData) -> dict[str, Any]:
    """The rule that stands in a form, as the API takes it. Raises UnknownRuleKind."""
    kind = kind_named(typed_text(sent, "kind"))
    number = typed_text(sent, "rule_id")
    return {
        "rule_id": int(number) if number.isascii() and number.isdecimal() and len(number) < _DIGITS else None,
        "kind": kind.name,
        "name": typed_text(sent, "name") or kind.label,
        "parameters": _parameters(sent, kind),
        "terms": _terms(sent, kind),
    }


async def form_again(edge: Edge, error: DomainError, sent: FormData) -> Response:
    """The form with what is wrong about it."""
    draft = draft_in(sent)
    rule = await service.get(edge.session, draft["rule_id"]) if draft["rule_id"] else None
    return await _again(edge, error, rule, kind_named(draft["kind"]), sent)


async def _listed(edge: Edge) -> dict[str, Any]:
    found = await service.listing(edge.session)
    return {
        "rules": found,
        "names": {rule.id: _name(edge, rule) for rule in found},
        "words": {rule.id: _words(edge, rule) for rule in found},
        "kinds": {kind.name: say(edge, kind.label) for kind in kinds().values()},
        "budget": await service.budget(edge.session),
    }


def _name(edge: Edge, rule: EarningRule) -> str:
    """Its name; those that are shipped in the operator's language, until somebody renames them."""
    return say(edge, rule.name) if rule.name in SHIPPED_NAMES else rule.name


def _words(edge: Edge, rule: EarningRule) -> str:
    return telling.words(rule, edge.acting.locale)


def typed_text(sent: FormData, name: str) -> str:
    """What was typed into a field, cut to what any field holds."""
    value = sent.get(name, "")
    return value[:_MOST] if isinstance(value, str) else ""


def _parameters(sent: FormData, kind: RuleKind) -> dict[str, Any]:
    given = {name: [item for item in sent.getlist(name) if isinstance(item, str)] for name in sent}
    return schema_forms.read(kind.parameters.model_json_schema(), given)


def _terms(sent: FormData, kind: RuleKind) -> dict[str, Any]:
    return earning_terms.read(sent) if kind.event else {}


def _typed(sent: FormData, kind: RuleKind) -> dict[str, Any]:
    """What was typed beside the kind's parameters."""
    return {name: typed_text(sent, name) for name in ("name", "valid_from", "valid_until")} | {
        "terms": _terms(sent, kind)
    }


async def _read(edge: Edge, sent: FormData, parameters: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": typed_text(sent, "name"),
        "parameters": parameters,
        "valid_from": await typed.moment(edge, typed_text(sent, "valid_from")),
        "valid_until": await typed.moment(edge, typed_text(sent, "valid_until")),
    }


async def _choices(edge: Edge) -> dict[str, list[dict[str, Any]]]:
    found = await surveys.listing(edge.session)
    shown = await activities.listing(edge.session)
    latest = (await campaigns.listing(edge.session, limit=50)).items
    return {
        "survey_ids": [{"value": item.id, "label": item.name} for item in found],
        "activity_ids": [{"value": item.id, "label": in_locale(edge.acting, item.name)} for item in shown],
        "campaign_ids": [{"value": item.id, "label": item.name} for item in latest],
    }


async def _shown(
    edge: Edge, rule: EarningRule | None, kind: RuleKind, form: Any, parameters: Mapping[str, Any]
) -> dict[str, Any]:
    """What the form's page takes: `form` are name and bounds in time, as stored or as typed."""
    schema = kind.parameters.model_json_schema()
    return {
        "rule": rule,
        "heading": _name(edge, rule) if rule else "",
        "kind": {"name": kind.name, "label": say(edge, kind.label)},
        "form": form,
        "fields": schema_forms.fields(edge, schema, parameters, await _choices(edge)),
        "words": _words(edge, rule) if rule else "",
        "has_terms": kind.event is not None,
        "terms_form": await earning_terms.shown(edge, form["terms"]),
        "versions": await service.versions(edge.session, rule.id) if rule else [],
    }


async def _again(edge: Edge, error: DomainError, rule: EarningRule | None, kind: RuleKind, sent: FormData) -> Response:
    values = await _shown(edge, rule, kind, _typed(sent, kind), _parameters(sent, kind))
    return await again(edge, _PAGE, error, nav="earning_rules", **values)
