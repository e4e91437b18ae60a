"""What the parameters of every extension must be: strict, described, and the same in their JSON Schema."""

from collections.abc import Iterable
from inspect import getdoc, getmodule
from typing import Any

import jsonschema_rs
from pydantic import BaseModel, ValidationError

from crm.kit.discovery import instances, modules_in


def shipped(package: str, kind: type[Any]) -> list[Any]:
    """Every extension of that kind in the package, none hidden by another of the same name."""
    return [item for module in modules_in(package) for item in instances(module, kind)]


def assert_named(items: Iterable[Any], attribute: str = "name") -> None:
    """Names are unique, short and plain; labels are for people; each says what it is."""
    names = [getattr(item, attribute) for item in items]
    assert names
    assert len(set(names)) == len(names), "two have the same name"
    for item, name in zip(items, names, strict=True):
        assert name.isascii(), name
        assert name.replace("_", "").isalnum(), name
        assert name == name.lower(), name
        assert item.label == item.label.strip() != "", name
        assert item.label[0].isupper(), name
        assert getdoc(type(item)), f"{name} has no docstring"
        assert (getmodule(type(item)) or item).__doc__, f"the module of {name} has no docstring"


def assert_strict(model: type[BaseModel], sample: dict[str, Any]) -> dict[str, Any]:
    """The schema is one, is true of the sample, and both it and the model refuse what is not known."""
    schema = model.model_json_schema()
    jsonschema_rs.meta.validate(schema)
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    assert schema["description"], f"{model.__name__} has no docstring"
    assert all(field.get("title") or field.get("$ref") for field in schema["properties"].values())
    validator = jsonschema_rs.validator_for(schema)
    shown = model.model_validate(sample).model_dump(mode="json", exclude_none=True)
    assert validator.is_valid(sample), sample
    assert model.model_validate(shown) == model.model_validate(sample)
    wrong_ones: tuple[Any, ...] = ({**sample, "no_such_parameter": 1}, [], "x", None)
    for wrong in wrong_ones:
        assert not validator.is_valid(wrong)
        try:
            model.model_validate(wrong)
        except ValidationError:
            continue
        raise AssertionError(f"{model.__name__} takes {wrong!r}")
    return schema
