"""Valid rules that can hardly be meant."""

from collections.abc import Iterator

from crm.segments.parser import to_json
from crm.segments.types import All, AnyOf, Leaf, Not, Rule, RuleWarning


def is_everyone(rule: Rule) -> bool:
    """Whether the rule asks nothing of anybody, however it is put: `{"all": []}`, or nobody turned round."""
    match rule:
        case All(parts):
            return all(is_everyone(part) for part in parts)
        case AnyOf(parts):
            return _has_opposites(parts) or any(is_everyone(part) for part in parts)
        case Not(part):
            return is_nobody(part)
        case Leaf():
            return False


def is_nobody(rule: Rule) -> bool:
    """Whether the rule by its form alone cannot hold for anybody."""
    match rule:
        case All(parts):
            return _has_opposites(parts) or any(is_nobody(part) for part in parts)
        case AnyOf(parts):
            return all(is_nobody(part) for part in parts)
        case Not(part):
            return is_everyone(part)
        case Leaf():
            return False


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
        case Not(part) if is_everyone(part):
            yield RuleWarning(f"{path}.not", "Nobody matches: what is excluded here is everyone.")
        case Not(part):
            yield from warnings(part, f"{path}.not")
        case Leaf():
            return


def _within(parts: tuple[Rule, ...], path: str) -> Iterator[RuleWarning]:
    for number, part in enumerate(parts):
        yield from warnings(part, f"{path}.{number}")


def _has_opposites(parts: tuple[Rule, ...]) -> bool:
    known = [to_json(part) for part in parts]
    return any({"not": part} in known for part in known)
