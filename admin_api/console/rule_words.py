"""A segment's rule in words, for pages that show it without editing."""

from collections.abc import Mapping, Sequence
from typing import Any

from admin_api.console.pages import say
from admin_api.edge import Edge

Described = dict[str, Any]
"""`{"mode": "all"|"any", "negated", "parts"}` or `{"label", "details": [{"name", "value"}], "negated"}`."""


def described(edge: Edge, rule: Any, catalogue: Sequence[Mapping[str, Any]], *, negated: bool = False) -> Described:
    """The rule as nested parts with translated labels; `catalogue` as the rule editor takes it."""
    if "not" in rule:
        return described(edge, rule["not"], catalogue, negated=not negated)
    for mode in ("all", "any"):
        if mode in rule:
            parts = [described(edge, part, catalogue) for part in rule[mode]]
            return {"mode": mode, "negated": negated, "parts": parts}
    known = next((item for item in catalogue if item["name"] == rule.get("condition")), None)
    fields = known["parameters"].get("properties", {}) if known else {}
    given = {name: value for name, value in rule.items() if name != "condition" and value not in (None, [])}
    details = [
        {"name": fields.get(name, {}).get("title", name), "value": _value(edge, fields.get(name, {}), value)}
        for name, value in given.items()
    ]
    label = known["label"] if known else str(rule.get("condition"))
    return {"label": label, "details": details, "negated": negated}


def _value(edge: Edge, field: Mapping[str, Any], value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_value(edge, field, item) for item in value)
    if isinstance(value, bool):
        return say(edge, "Yes" if value else "No")
    labels = {str(choice["value"]): choice["label"] for choice in field.get("x-choices", [])}
    return str(labels.get(str(value), value))
