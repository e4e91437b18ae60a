"""The catalogue of conditions as the rule editor shows it: in the operator's words, with lists of what exists."""

from collections.abc import Mapping
from typing import Any

from admin_api.console.pages import say
from admin_api.deps import AdminDeps
from admin_api.edge import Edge
from crm.consent import service as consent
from crm.segments import service as segments
from crm.segments.types import ConditionInfo
from crm.sources import service as sources
from crm.surveys import service as surveys
from crm.tags import service as tags

Choices = Mapping[tuple[str, str], list[dict[str, Any]]]
_SCALARS = {("attribute", "equals"), ("attribute", "at_least"), ("attribute", "at_most"), ("survey_answer", "any_of")}
"""Parameters that take a number as well as a word."""
_LANGUAGES = [{"value": "zh-CN", "label": "中文"}, {"value": "en", "label": "English"}]


async def catalogue(edge: Edge, deps: AdminDeps) -> list[dict[str, Any]]:
    """Every condition, ready for `rule_editor`."""
    choices = await _choices(edge, deps)
    return [_shown(edge, info, choices) for info in segments.conditions(edge.session)]


async def _choices(edge: Edge, deps: AdminDeps) -> Choices:
    session, locale = edge.session, edge.acting.locale
    channels = [{"value": name, "label": name} for name in deps.channels]
    topics = [
        {"value": topic.key, "label": topic.name.get(locale) or topic.key} for topic in await consent.topics(session)
    ]
    return {
        ("tag", "tag"): [{"value": tag.label, "label": tag.label} for tag in await tags.listing(session)],
        ("source", "source_id"): [{"value": item.id, "label": item.name} for item in await sources.listing(session)],
        ("survey_answer", "survey"): [
            {"value": item.key, "label": item.name} for item in await surveys.listing(session)
        ],
        ("consent", "topic"): topics,
        ("consent", "channel"): channels,
        ("channel", "channel"): channels,
        ("language", "locale"): _LANGUAGES,
    }


def _shown(edge: Edge, info: ConditionInfo, choices: Choices) -> dict[str, Any]:
    schema = info.parameters
    definitions, required = schema.get("$defs", {}), set(schema.get("required", []))
    ordered = sorted(schema.get("properties", {}).items(), key=lambda item: item[0] not in required)
    fields = {name: _field(edge, (info.name, name), dict(field), definitions, choices) for name, field in ordered}
    return {
        "name": info.name,
        "label": say(edge, info.label),
        "group": say(edge, info.group),
        "parameters": {**schema, "properties": fields},
    }


def _field(
    edge: Edge, place: tuple[str, str], field: dict[str, Any], definitions: Mapping[str, Any], choices: Choices
) -> dict[str, Any]:
    if "title" in field:
        field["title"] = say(edge, field["title"])
    if "description" in field:
        field["description"] = say(edge, field["description"])
    if place in _SCALARS:
        field["x-scalar"] = True
        if "anyOf" in field:
            del field["anyOf"]
            field["type"] = "string"
    values = _enumerated(field, definitions)
    if choices.get(place):
        field["x-choices"] = choices[place]
    elif values:
        field["x-choices"] = [{"value": value, "label": say(edge, _words(value))} for value in values]
    return field


def _enumerated(field: Mapping[str, Any], definitions: Mapping[str, Any]) -> list[str]:
    inner = field.get("items", field)
    if "$ref" in inner:
        inner = definitions.get(inner["$ref"].rpartition("/")[2], {})
    return list(inner.get("enum", []))


def _words(value: str) -> str:
    return value.replace("_", " ").capitalize()
