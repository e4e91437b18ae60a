"""From JSON to a typed rule; every fault is named with its path, and all faults are named at once."""

from typing import Any

from pydantic import ValidationError

from crm.kit.text import clean_text
from crm.segments.catalogue import Conditions
from crm.segments.errors import InvalidRuleError, RuleProblem
from crm.segments.soundness import faults
from crm.segments.types import All, AnyOf, Leaf, Not, Rule

MAX_DEPTH = 10
MAX_CONDITIONS = 100
MAX_PARTS = 500
MAX_PROBLEMS = 50
_LONGEST = 300
_SHAPES = '{"all": [...]}, {"any": [...]}, {"not": {...}} or {"condition": NAME, ...}'


def parse(source: Any, conditions: Conditions) -> Rule:
    """The rule that `source` (decoded JSON) describes. Raises InvalidRuleError."""
    reader = _Reader(conditions)
    rule = reader.read(source, "rule", 1)
    if reader.problems or rule is None:
        raise InvalidRuleError(reader.problems or [RuleProblem("rule", "The rule is empty.")])
    return rule


class _Reader:
    """Collects problems on the way down."""

    def __init__(self, conditions: Conditions) -> None:
        self._conditions = conditions
        self._leaves = 0
        self._parts = 0
        self.problems: list[RuleProblem] = []

    def _bad(self, path: str, text: str) -> Rule | None:
        """Note a problem; always None, so that it can be returned in place of a rule."""
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(RuleProblem(clean_text(path)[:_LONGEST], clean_text(text)[:_LONGEST]))
        return None

    def read(self, source: Any, path: str, depth: int) -> Rule | None:
        if depth > MAX_DEPTH:
            return self._bad(path, f"The rule is nested too deep; {MAX_DEPTH} levels at most.")
        self._parts += 1
        if self._parts > MAX_PARTS:
            return self._bad(path, f"The rule is too large; {MAX_PARTS} parts at most.")
        if not isinstance(source, dict):
            return self._bad(path, f"A rule is {_SHAPES}.")
        kinds = [key for key in ("all", "any", "not", "condition") if key in source]
        if len(kinds) != 1:
            return self._bad(path, f"A rule is exactly one of {_SHAPES}.")
        if kinds == ["condition"]:
            return self._leaf(source, path)
        return self._composite(source, kinds[0], path, depth)

    def _composite(self, source: dict[str, Any], kind: str, path: str, depth: int) -> Rule | None:
        if len(source) > 1:
            other = sorted(str(key) for key in source if key != kind)
            return self._bad(path, f"Nothing else stands beside {kind}; remove {', '.join(other)}.")
        if kind == "not":
            part = self.read(source["not"], f"{path}.not", depth + 1)
            return None if part is None else Not(part)
        return self._group(source[kind], kind, f"{path}.{kind}", depth)

    def _group(self, parts: Any, kind: str, path: str, depth: int) -> Rule | None:
        if not isinstance(parts, list):
            return self._bad(path, "A list of rules belongs here.")
        if kind == "any" and not parts:
            return self._bad(path, 'An empty "any" matches nobody; add a rule, or use {"all": []} for everyone.')
        if len(parts) > MAX_PARTS:
            return self._bad(path, f"The rule is too large; {MAX_PARTS} parts at most.")
        read = [self.read(part, f"{path}.{number}", depth + 1) for number, part in enumerate(parts)]
        good = tuple(part for part in read if part is not None)
        if len(good) < len(read):
            return None
        return All(good) if kind == "all" else AnyOf(good)

    def _leaf(self, source: dict[str, Any], path: str) -> Rule | None:
        self._leaves += 1
        if self._leaves > MAX_CONDITIONS:
            if self._leaves == MAX_CONDITIONS + 1:
                self._bad(path, f"A rule has {MAX_CONDITIONS} conditions at most.")
            return None
        name = source["condition"]
        condition = self._conditions.named(name) if isinstance(name, str) else None
        if condition is None:
            known = ", ".join(self._conditions.names())
            asked = repr(name)[:60] if isinstance(name, str) else "of that kind"
            return self._bad(f"{path}.condition", f"There is no condition {asked}; use one of {known}.")
        values = {key: value for key, value in source.items() if key != "condition"}
        unsound = faults(values, path)
        if unsound:
            return self._bad(*unsound)
        try:
            return Leaf(condition, condition.parameters.model_validate(values))
        except ValidationError as error:
            self._refuse(path, error, set(condition.parameters.model_fields))
            return None

    def _refuse(self, path: str, error: ValidationError, fields: set[str]) -> None:
        """Note each fault under the parameter that it is about; of the tries of a union the first one speaks."""
        noted: set[str] = set()
        for fault in error.errors(include_url=False, include_context=False, include_input=False):
            steps = [str(step) for step in fault["loc"][1:] if isinstance(step, int)]
            place = ".".join([path, *(str(step) for step in fault["loc"][:1]), *steps])
            is_unknown = bool(fault["loc"]) and fault["loc"][0] not in fields
            if place not in noted:
                noted.add(place)
                self._bad(place, _said("extra_forbidden" if is_unknown else fault["type"], fault["msg"]))


def _said(kind: str, message: str) -> str:
    if kind == "extra_forbidden":
        return "This condition has no such parameter."
    if kind == "missing":
        return "This parameter is needed."
    return message.removeprefix("Value error, ") + "."


def to_json(rule: Rule) -> dict[str, Any]:
    """The canonical JSON of a rule."""
    match rule:
        case Leaf(condition, parameters):
            return {"condition": condition.name, **parameters.model_dump(mode="json", exclude_none=True)}
        case All(parts):
            return {"all": [to_json(part) for part in parts]}
        case AnyOf(parts):
            return {"any": [to_json(part) for part in parts]}
        case Not(part):
            return {"not": to_json(part)}
