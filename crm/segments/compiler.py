"""From a rule to SQL in set form over `profiles`, and to a plain evaluator that must agree with it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, not_, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from crm.kit.rules import Scope
from crm.profiles.views import profiles
from crm.segments.types import All, AnyOf, Leaf, Not, Rule


def predicate(rule: Rule, scope: Scope) -> ColumnElement[bool]:
    """The rule as one SQL condition on the member in question; never NULL."""
    match rule:
        case Leaf(condition, parameters):
            return condition.predicate(parameters, scope)
        case All(parts):
            return and_(true(), *(predicate(part, scope) for part in parts))
        case AnyOf(parts):
            return or_(false(), *(predicate(part, scope) for part in parts))
        case Not(part):
            return not_(predicate(part, scope))


def audience(rule: Rule, now: datetime) -> Select[int]:
    """Ids of the active members who match at `now`."""
    return select(profiles.c.member_id).where(predicate(rule, Scope(profiles, now)))


def leaves(rule: Rule) -> Iterator[Leaf]:
    """Every condition of the rule."""
    match rule:
        case Leaf():
            yield rule
        case All(parts) | AnyOf(parts):
            for part in parts:
                yield from leaves(part)
        case Not(part):
            yield from leaves(part)


Facts = Mapping[str, Mapping[int, Any]]
"""Name of a condition -> member id -> what its plain evaluator needs."""


async def load_facts(session: AsyncSession, rule: Rule, member_ids: Sequence[int]) -> Facts:
    """What the plain evaluator needs to know, one look-up per kind of condition."""
    conditions = {leaf.condition.name: leaf.condition for leaf in leaves(rule)}
    return {name: await condition.facts(session, member_ids) for name, condition in conditions.items()}


def matches(rule: Rule, member_id: int, facts: Facts, now: datetime) -> bool:
    """The rule evaluated in plain Python for one member."""
    match rule:
        case Leaf(condition, parameters):
            return condition.matches(parameters, facts[condition.name].get(member_id), now)
        case All(parts):
            return all(matches(part, member_id, facts, now) for part in parts)
        case AnyOf(parts):
            return any(matches(part, member_id, facts, now) for part in parts)
        case Not(part):
            return not matches(part, member_id, facts, now)
