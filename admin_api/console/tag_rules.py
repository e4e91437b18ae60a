"""Rules that tag members by what they do: list, form, on and off."""

from dataclasses import fields
from typing import Any

from fastapi import Response

from admin_api.access import allow
from admin_api.addresses import ROOT
from admin_api.api.tags import NewTagRule, TagRuleChange, change_rule, create_rule
from admin_api.console.forms import Text, Texts, body_of
from admin_api.console.pages import again, redirect, render
from admin_api.deps import EdgeOf
from admin_api.edge import Edge
from admin_api.routing import page_router
from admin_api.schemas import IdPath
from crm.kit.errors import DomainError
from crm.operators.permissions import Permission
from crm.tags import rules, service
from crm.tags.errors import InvalidTagRule

router = page_router(f"{ROOT}/tag-rules")
HERE = f"{ROOT}/tag-rules"
_READ, _WRITE = allow(Permission.TAGS_READ), allow(Permission.TAGS_WRITE)
TESTS = ("is", "at_least", "at_most", "contains")
_LEFT_OUT = {"member_id", "transaction_id", "delivery_id"}
Typed = list[tuple[str, str, str]]


async def _choices(edge: Edge) -> dict[str, Any]:
    found = await service.listing(edge.session)
    events = [
        {
            "kind": kind.kind,
            "title": kind.title,
            "fields": [item.name for item in fields(kind) if item.name not in _LEFT_OUT],
        }
        for kind in rules.KINDS
    ]
    return {"events": events, "tests": TESTS, "tag_suggestions": [tag.label for tag in found]}


@router.get("", dependencies=[_READ], name="tag_rule.list_page")
async def list_page(edge: EdgeOf) -> Response:
    """Every rule with what it waits for."""
    return await render(edge, "tags/rules", nav="tags", rules=await rules.listing(edge.session), **await _choices(edge))


@router.get("/new", dependencies=[_WRITE], name="tag_rule.new_page")
async def new_page(edge: EdgeOf) -> Response:
    """The form of a new rule."""
    return await render(edge, "tags/rule", nav="tags", rule=None, form={}, **await _choices(edge))


@router.post("", dependencies=[_WRITE], name="tag_rule.create_by_form")
async def create(
    edge: EdgeOf,
    *,
    name: Text = "",
    event_kind: Text = "",
    tag: Text = "",
    where_field: Texts = [],  # noqa: B006 - FastAPI copies it
    where_test: Texts = [],  # noqa: B006 - FastAPI copies it
    where_value: Texts = [],  # noqa: B006 - FastAPI copies it
) -> Response:
    """Applies to events from now on."""
    typed = _typed(where_field, where_test, where_value)
    try:
        body = body_of(NewTagRule, name=name, event_kind=event_kind, tag=tag, where=where_of(typed))
        rule = await create_rule(edge, body)
    except DomainError as error:
        await edge.session.rollback()
        form = {"name": name, "event_kind": event_kind, "tag": tag, "where": typed}
        return await again(edge, "tags/rule", error, nav="tags", rule=None, form=form, **await _choices(edge))
    return redirect(edge, f"{HERE}/{rule.id}", done="The rule works from now on.")


@router.get("/{rule_id}", dependencies=[_READ], name="tag_rule.page")
async def rule_page(edge: EdgeOf, rule_id: IdPath) -> Response:
    """One rule."""
    rule = await rules.get(edge.session, rule_id)
    form = {"name": rule.name, "event_kind": rule.event_kind, "tag": rule.tag, "where": as_typed(rule.where)}
    return await render(edge, "tags/rule", nav="tags", rule=rule, form=form, **await _choices(edge))


@router.post("/{rule_id}", dependencies=[_WRITE], name="tag_rule.change_by_form")
async def change(
    edge: EdgeOf,
    rule_id: IdPath,
    *,
    name: Text = "",
    tag: Text = "",
    where_field: Texts = [],  # noqa: B006 - FastAPI copies it
    where_test: Texts = [],  # noqa: B006 - FastAPI copies it
    where_value: Texts = [],  # noqa: B006 - FastAPI copies it
) -> Response:
    """Another name, tag or tests; tags that were put on stay."""
    rule, typed = await rules.get(edge.session, rule_id), _typed(where_field, where_test, where_value)
    try:
        await change_rule(edge, rule_id, body_of(TagRuleChange, name=name, tag=tag, where=where_of(typed)))
    except DomainError as error:
        await edge.session.rollback()
        form = {"name": name, "event_kind": rule.event_kind, "tag": tag, "where": typed}
        return await again(edge, "tags/rule", error, nav="tags", rule=rule, form=form, **await _choices(edge))
    return redirect(edge, f"{HERE}/{rule_id}", done="Saved.")


@router.post("/{rule_id}/switch", dependencies=[_WRITE], name="tag_rule.switch_by_form")
async def switch(edge: EdgeOf, rule_id: IdPath, is_active: Text = "") -> Response:
    """On or off."""
    await change_rule(edge, rule_id, TagRuleChange(is_active=is_active == "true"))
    return redirect(edge, f"{HERE}/{rule_id}", done="Saved.")


def _typed(names: list[str], tests: list[str], values: list[str]) -> Typed:
    rows = zip(names, tests, values, strict=False)
    return [(name.strip(), test, value.strip()) for name, test, value in rows if name.strip() or value.strip()]


def where_of(typed: Typed) -> dict[str, Any]:
    """The tests of a rule from rows of field, test and value. Raises InvalidTagRule for half a row."""
    where: dict[str, Any] = {}
    for name, test, value in typed:
        if not name or not value or test not in TESTS:
            raise InvalidTagRule("Each test needs a field, a comparison and a value.")
        if test == "is":
            where[name] = _plain(value)
        elif isinstance(where.setdefault(name, {}), dict):
            where[name][test] = value if test == "contains" else _plain(value)
    return where


def as_typed(where: dict[str, Any]) -> Typed:
    """The rows that `where_of` would make this from."""
    rows: Typed = []
    for name, test in where.items():
        if isinstance(test, dict):
            rows += [(name, key, str(value)) for key, value in test.items()]
        else:
            rows.append(
                (
                    name,
                    "is",
                    {True: "true", False: "false"}.get(test, str(test)) if isinstance(test, bool) else str(test),
                )
            )
    return rows


def _plain(value: str) -> str | int | float | bool:
    """A typed value as events hold it: whole numbers and yes or no are not text."""
    if value in {"true", "false"}:
        return value == "true"
    try:
        return int(value) if len(value) < 16 else value  # noqa: PLR2004 - longer digits are numbers of orders and cards
    except ValueError:
        return value
