"""Earning rules: list, form made from the kind's schema, versions."""

from collections.abc import Mapping
from typing import Any

from fastapi import Response
from starlette.datastructures import FormData

from admin_api.access import allow
from admin_api.addresses import ROOT
from admin_api.api import earning_rules as api
from admin_api.console import schema_forms, typed
from admin_api.console.pages import again, redirect, render, say
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.routing import page_router
from admin_api.schemas import IdPath
from crm.kit.errors import DomainError
from crm.operators.permissions import Permission
from crm.points import earning_rules as service
from crm.points.kinds import RuleKind, kind_named, kinds
from crm.points.types import EarningRule
from crm.surveys import service as surveys

router = page_router(f"{ROOT}/earning-rules")
HERE = f"{ROOT}/earning-rules"
_READ, _WRITE = allow(Permission.EARNING_RULES_READ), allow(Permission.EARNING_RULES_WRITE)
_PAGE = "earning_rules/form"
_MOST = 2000


@router.get("", dependencies=[_READ], name="earning_rule.list_page")
async def list_page(edge: EdgeOf) -> Response:
    """Every rule with what it gives, in the words that members read."""
    found = await service.listing(edge.session)
    shown: dict[str, Any] = {
        "rules": found,
        "words": {rule.id: _words(edge, rule) for rule in found},
        "kinds": {kind.name: say(edge, kind.label) for kind in kinds().values()},
    }
    return await render(edge, "earning_rules/list", nav="earning_rules", **shown)


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
    form = {"name": say(edge, chosen.label), "valid_from": "", "valid_until": ""}
    return await render(edge, _PAGE, nav="earning_rules", **await _shown(edge, None, chosen, form, {}))


@router.post("", dependencies=[_WRITE], name="earning_rule.create_by_form")
async def create(edge: EdgeOf) -> Response:
    """A rule, in force from now on."""
    sent = await edge.request.form()
    kind = kind_named(_text(sent, "kind"))
    parameters = _parameters(sent, kind)
    try:
        fields = await _read(edge, sent, parameters)
        await api.create_rule(edge, api.NewEarningRule.model_construct(kind=kind.name, is_active=True, **fields))
    except DomainError as error:
        return await _again(edge, error, None, kind, sent)
    return redirect(edge, HERE, done="The rule is in force.")


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
        fields = await _read(edge, sent, _parameters(sent, kind))
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


def _words(edge: Edge, rule: EarningRule) -> str:
    kind = kind_named(rule.kind)
    return kind.explain(kind.parameters.model_validate(rule.parameters), edge.acting.locale) or ""


def _text(sent: FormData, name: str) -> str:
    value = sent.get(name, "")
    return value[:_MOST] if isinstance(value, str) else ""


def _parameters(sent: FormData, kind: RuleKind) -> dict[str, Any]:
    given = {name: [item for item in sent.getlist(name) if isinstance(item, str)] for name in sent}
    return schema_forms.read(kind.parameters.model_json_schema(), given)


async def _read(edge: Edge, sent: FormData, parameters: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": _text(sent, "name"),
        "parameters": parameters,
        "valid_from": await typed.moment(edge, _text(sent, "valid_from")),
        "valid_until": await typed.moment(edge, _text(sent, "valid_until")),
    }


async def _choices(edge: Edge) -> dict[str, list[dict[str, Any]]]:
    found = await surveys.listing(edge.session)
    return {"survey_ids": [{"value": item.id, "label": item.name} for item in found]}


async def _shown(
    edge: Edge, rule: EarningRule | None, kind: RuleKind, form: Any, parameters: Mapping[str, Any]
) -> dict[str, Any]:
    """What the form's page takes: `form` are name and bounds in time, as stored or as typed."""
    schema = kind.parameters.model_json_schema()
    return {
        "rule": rule,
        "kind": {"name": kind.name, "label": say(edge, kind.label)},
        "form": form,
        "fields": schema_forms.fields(edge, schema, parameters, await _choices(edge)),
        "words": _words(edge, rule) if rule else "",
    }


async def _again(edge: Edge, error: DomainError, rule: EarningRule | None, kind: RuleKind, sent: FormData) -> Response:
    form = {name: _text(sent, name) for name in ("name", "valid_from", "valid_until")}
    values = await _shown(edge, rule, kind, form, _parameters(sent, kind))
    return await again(edge, _PAGE, error, nav="earning_rules", **values)
