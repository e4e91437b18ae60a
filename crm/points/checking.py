"""What a rule must be before it is saved: its fields, its terms, and its formulas tried on made-up events."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from crm.kit.text import clean_name
from crm.points import facts, formulas, samples
from crm.points.errors import InvalidRule
from crm.points.formulas import FormulaError
from crm.points.kinds import RuleKind, RuleParameters, kind_named
from crm.points.terms import NONE, Terms, stored


@dataclass(frozen=True)
class RuleText:
    """What operators write of a rule."""

    kind: str
    name: str
    parameters: Mapping[str, Any]
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    terms: Mapping[str, Any] | None = None


def checked(text: RuleText) -> dict[str, Any]:
    """The values to store. Raises UnknownRuleKind, InvalidRule with `problems` by path."""
    label = clean_name(text.name)
    if not label:
        raise InvalidRule("a rule needs a name", path="name")
    bounds = (text.valid_from, text.valid_until)
    if any(moment is not None and moment.tzinfo is None for moment in bounds):
        raise InvalidRule("valid_from and valid_until need a time zone, such as 2026-03-01T00:00:00+08:00")
    if text.valid_from is not None and text.valid_until is not None and text.valid_until <= text.valid_from:
        raise InvalidRule("the end must be later than the start", path="valid_until")
    kind = kind_named(text.kind)
    try:
        parameters = kind.parameters.model_validate(dict(text.parameters))
    except ValidationError as error:
        raise _invalid("parameters", error) from error
    return {
        "name": label,
        "parameters": parameters.model_dump(mode="json"),
        "valid_from": text.valid_from,
        "valid_until": text.valid_until,
        "terms": stored(_terms(kind, parameters, text.terms or {})),
    }


def _terms(kind: RuleKind, parameters: RuleParameters, given: Mapping[str, Any]) -> Terms:
    try:
        terms = Terms.model_validate(dict(given))
    except ValidationError as error:
        raise _invalid("terms", error) from error
    if terms == NONE:
        return NONE
    if kind.event is None:
        raise InvalidRule("what is given by hand has no terms; leave them empty", problems={"terms": "leave it empty"})
    if terms.uses_tier and parameters.is_multiplied:
        raise _wrong("terms.uses_tier", f"the kind {kind.name} counts the tier's multiplier already; switch this off")
    for path, source in (("terms.when", terms.when), ("terms.formula", terms.formula)):
        if source:
            _try(kind, terms, path, source)
    return terms


def _try(kind: RuleKind, terms: Terms, path: str, source: str) -> None:
    """Look at a formula or condition, then work it out on every sample. Raises InvalidRule."""
    try:
        formulas.check(source)
    except FormulaError as error:
        raise _wrong(path, str(error)) from error
    assert kind.event is not None
    for words, situation in samples.situations(kind.event):
        try:
            _work_out(terms, path, source, situation)
        except FormulaError as error:
            raise _wrong(path, f"for {words}: {error}") from error


def _work_out(terms: Terms, path: str, source: str, situation: facts.Situation) -> None:
    for base in (1, 1000):
        values = facts.values(situation, base, formulas.NAMES)
        if path.endswith("when"):
            formulas.truth(source, values)
        elif not terms.when or formulas.truth(terms.when, values):
            formulas.number(source, values)


def _wrong(path: str, message: str) -> InvalidRule:
    return InvalidRule(f"{path}: {message}", problems={path: message})


def _invalid(root: str, error: ValidationError) -> InvalidRule:
    found = {".".join(map(str, item["loc"])) or root: _said(item["msg"]) for item in error.errors()}
    path, message = next(iter(found.items()))
    problems = found if root == "parameters" else {f"{root}.{name}": said for name, said in found.items()}
    return InvalidRule(f"{root}.{path}: {message}", problems=problems)


def _said(message: str) -> str:
    return message.removeprefix("Value error, ")
