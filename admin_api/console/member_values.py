"""Attributes between a form and a member: typed text to values, and back when something was wrong."""

from collections.abc import Mapping, Sequence
from typing import Any

from crm.kit.errors import InvalidError
from crm.members.attributes import AttributeDefinition, AttributeType

FIELD = "attribute_"
_REMOVE = "remove_attribute_"


class InvalidNumber(InvalidError):
    """Enter a number."""


def attribute_patch(definitions: Sequence[AttributeDefinition], form: Mapping[str, Any]) -> dict[str, Any]:
    """The merge patch that the form asks for; a personal attribute that was left empty stays. Raises InvalidNumber."""
    patch: dict[str, Any] = {}
    for item in definitions:
        text = form.get(FIELD + item.key)
        if not isinstance(text, str):
            continue
        if text.strip():
            patch[item.key] = _value(item, text.strip())
        elif not item.is_personal or form.get(_REMOVE + item.key):
            patch[item.key] = None
    return patch


def typed_attributes(definitions: Sequence[AttributeDefinition], form: Mapping[str, Any]) -> dict[str, str]:
    """What was typed, by key."""
    return {item.key: str(form.get(FIELD + item.key) or "") for item in definitions}


def _value(item: AttributeDefinition, text: str) -> Any:
    match item.type:
        case AttributeType.BOOLEAN:
            return text == "true"
        case AttributeType.NUMBER:
            try:
                return int(text) if text.lstrip("-").isdecimal() else float(text)
            except ValueError as wrong:
                raise InvalidNumber(path=FIELD + item.key) from wrong
    return text
