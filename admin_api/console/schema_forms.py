"""Forms made from the JSON schema of a parameters model, and the way back from what was typed."""

import re
from collections.abc import Mapping
from typing import Any

from admin_api.console.pages import say
from admin_api.edge import Edge

PREFIX = "parameter_"


def fields(
    edge: Edge, schema: Mapping[str, Any], values: Mapping[str, Any], choices: Mapping[str, list[dict[str, Any]]]
) -> list[dict[str, Any]]:
    """One entry per property, those that must be filled first: name, label, help, kind, bounds, value.

    Kinds are number, text, switch, choice, many (of `choices`) and words (typed, with commas between).
    """
    required = set(schema.get("required", []))
    return [
        {
            **_field(edge, name, _plain(raw, schema), values.get(name), name in choices),
            "required": name in required,
            "choices": choices.get(name) or _options(edge, _plain(raw, schema)),
        }
        for name, raw in sorted(schema.get("properties", {}).items(), key=lambda item: item[0] not in required)
    ]


def read(schema: Mapping[str, Any], typed: Mapping[str, list[str]]) -> dict[str, Any]:
    """The parameters that were typed, by property; the model judges them. An empty field is left to its default."""
    found: dict[str, Any] = {}
    for name, raw in schema.get("properties", {}).items():
        value = _value(_plain(raw, schema), typed.get(f"{PREFIX}{name}", []))
        if value is not None:
            found[name] = value
    return found


def _plain(raw: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The property with the first type of a choice of types: `integer | null` is an integer that may be left out.

    A reference to a list of names is replaced by them.
    """
    if "$ref" in raw:
        known = schema.get("$defs", {}).get(raw["$ref"].rpartition("/")[2], {})
        return {**known, **raw}
    kinds = [item for item in raw.get("anyOf", []) if item.get("type") != "null"]
    return {**raw, **(kinds[0] if kinds else {})}


def _options(edge: Edge, schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What a list of names offers, in words."""
    return [{"value": name, "label": say(edge, str(name).capitalize())} for name in schema.get("enum", [])]


def _field(
    edge: Edge,
    name: str,
    schema: Mapping[str, Any],
    value: Any,
    is_offered: bool,
) -> dict[str, Any]:
    kind = {"integer": "number", "number": "number", "boolean": "switch", "array": "many"}.get(schema["type"], "text")
    if kind == "many" and not is_offered:
        kind = "words"
    if "enum" in schema:
        kind = "choice"
    return {
        "name": f"{PREFIX}{name}",
        "path": name,
        "label": say(edge, name.replace("_", " ").capitalize()),
        "help": say(edge, schema.get("description", "")) if schema.get("description") else "",
        "kind": kind,
        "min": schema.get("minimum"),
        "max": schema.get("maximum"),
        "step": 1 if schema["type"] == "integer" else "any",
        "max_length": schema.get("maxLength", 200),
        "value": schema.get("default") if value is None else value,
    }


def _value(schema: Mapping[str, Any], typed: list[str]) -> Any:
    given = [text.strip() for text in typed if text.strip()]
    match schema["type"]:
        case "boolean":
            return bool(given)
        case "array":
            given = [part.strip() for text in given for part in re.split("[,，、\n]", text) if part.strip()]
            return [_number(text) for text in given] if schema.get("items", {}).get("type") == "integer" else given
        case "integer" | "number":
            return _number(given[0]) if given else None
    return given[0] if given else None


def _number(text: str) -> Any:
    """A whole number as one, anything else as it was typed: the model says what is wrong with it."""
    return int(text) if text.removeprefix("-").isdecimal() and len(text) < 16 else text  # noqa: PLR2004 - a BIGINT
