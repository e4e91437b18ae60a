"""Public values of segments."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from crm.kit.rules import Condition, Parameters


@dataclass(frozen=True)
class Leaf:
    """One condition with its parameters."""

    condition: Condition
    parameters: Parameters


@dataclass(frozen=True)
class All:
    """Every part holds; without parts: everyone."""

    parts: tuple["Rule", ...]


@dataclass(frozen=True)
class AnyOf:
    """At least one part holds; never without parts."""

    parts: tuple["Rule", ...]


@dataclass(frozen=True)
class Not:
    """The part does not hold."""

    part: "Rule"


Rule = Leaf | All | AnyOf | Not


@dataclass(frozen=True)
class Segment:
    """A saved rule."""

    id: int
    name: str
    description: str
    rule: dict[str, Any]
    version: int
    is_archived: bool
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True)
class SampledMember:
    """One of those who match."""

    id: int
    display_name: str


@dataclass(frozen=True)
class RuleWarning:
    """A valid rule that can hardly be meant."""

    path: str
    text: str


@dataclass(frozen=True)
class Preview:
    """How many match now, some of them, and what seems odd about the rule."""

    count: int
    sample: list[SampledMember]
    warnings: list[RuleWarning] = field(default_factory=list)


@dataclass(frozen=True)
class ConditionInfo:
    """A condition for the catalogue: `parameters` is a JSON schema."""

    name: str
    label: str
    group: str
    parameters: dict[str, Any]
