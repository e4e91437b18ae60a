"""Pure decisions about tags: reading their names, and whether a rule fits an event."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from crm.kit.text import clean_name
from crm.tags.errors import InvalidTag, InvalidTagRule

_TESTS = {"at_least", "at_most", "contains"}
_MAX_TESTS = 10


def parse(tag: str) -> tuple[str, str]:
    """(group, name) of `group:name` or `name`, cleaned; a full-width colon serves too. Raises InvalidTag."""
    group, separator, name = tag.replace("：", ":").partition(":")
    if not separator:
        group, name = "", group
    group_cleaned, name_cleaned = clean_name(group), clean_name(name)
    is_cut = len(group_cleaned) < len(group.strip()) // 2 or len(name_cleaned) < len(name.strip()) // 2
    if not name_cleaned or (separator and not group_cleaned) or is_cut:
        raise InvalidTag
    return group_cleaned, name_cleaned


def label(group: str, name: str) -> str:
    """How a tag is written in one piece."""
    return f"{group}:{name}" if group else name


def check_where(where: Mapping[str, Any]) -> None:
    """Raises InvalidTagRule when the rule's tests are none that `fits` understands."""
    if len(where) > _MAX_TESTS:
        raise InvalidTagRule(f"a rule has at most {_MAX_TESTS} tests")
    for name, test in where.items():
        if isinstance(test, dict) and (not test or not set(test) <= _TESTS):
            raise InvalidTagRule(f"the test of {name[:64]!r} knows {', '.join(sorted(_TESTS))} only")
        if isinstance(test, dict) and any(_number(test[key]) is None for key in ("at_least", "at_most") if key in test):
            raise InvalidTagRule(f"the test of {name[:64]!r} compares with a number")
        if isinstance(test, list):
            raise InvalidTagRule(f"the test of {name[:64]!r} takes one value, not a list")


def fits(where: Mapping[str, Any], data: Mapping[str, Any]) -> bool:
    """Whether an event's data passes every test; `properties.sku` looks inside."""
    return all(_passes(test, _look_up(data, name)) for name, test in where.items())


def _look_up(data: Mapping[str, Any], path: str) -> Any:
    found: Any = data
    for part in path.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _passes(test: Any, value: Any) -> bool:
    if not isinstance(test, Mapping):
        return type(test) is type(value) and bool(test == value)
    number = _number(value)
    if "at_least" in test and (number is None or number < Decimal(str(test["at_least"]))):
        return False
    if "at_most" in test and (number is None or number > Decimal(str(test["at_most"]))):
        return False
    return "contains" not in test or (isinstance(value, str | list) and test["contains"] in value)


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
