"""Valid rules that can hardly be meant."""

from collections.abc import Iterator

from crm.segments.parser import to_json
from crm.segments.types import All, AnyOf, Leaf, Not, Rule, RuleWarning


def warnings(rule: Rule, path: str = "rule") -> Iterator[RuleWarning]:
    """Contradictions that no member can meet, and alternatives that every member meets."""
    match rule:
        case All(parts):
            if _has_opposites(parts):
                yield RuleWarning(f"{path}.all", "These conditions contradict each other: nobody can match.")
            yield from _within(parts, f"{path}.all")
        case AnyOf(parts):
            if _has_opposites(parts):
                yield RuleWarning(f"{path}.any", "One of these always holds: everyone matches.")
            yield from _within(parts, f"{path}.any")
        case Not(All(())):
            yield RuleWarning(f"{path}.not", "Nobody matches: an empty rule is everyone, and this asks for the others.")
        case Not(part):
            yield from warnings(part, f"{path}.not")
        case Leaf():
            return


def _within(parts: tuple[Rule, ...], path: str) -> Iterator[RuleWarning]:
    for number, part in enumerate(parts):
        yield from warnings(part, f"{path}.{number}")


def _has_opposites(parts: tuple[Rule, ...]) -> bool:
    asked = [to_json(part) for part in parts if not isinstance(part, Not)]
    refused = [to_json(part.part) for part in parts if isinstance(part, Not)]
    return any(item in refused for item in asked)
