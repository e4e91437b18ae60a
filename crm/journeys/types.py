"""Public values of journeys."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from crm.journeys.triggers import AnyTrigger
from crm.kit.rules import Parameters


class JourneyStatus(StrEnum):
    """Whether a journey takes in and moves members."""

    DRAFT = "draft"
    ACTIVE = "active"
    PAUSED = "paused"


NodeName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,24}$")]
"""Short, because buttons carry it."""


class NodeSpec(Parameters):
    """One node of the graph: what it does, and which node follows each of its exits (none: the journey ends)."""

    kind: str
    parameters: dict[str, Any] = Field(default_factory=dict)
    exits: dict[str, str] = Field(default_factory=dict)


class Graph(Parameters):
    """Nodes by name, and where members start."""

    start: str
    nodes: dict[NodeName, NodeSpec] = Field(min_length=1, max_length=50)


@dataclass(frozen=True)
class Journey:
    """One journey in its current version."""

    id: int
    name: str
    trigger: AnyTrigger
    graph: Graph
    status: JourneyStatus
    version: int
    is_archived: bool
    created_at: datetime
    activated_at: datetime | None
    shipped_key: str | None = None
    """Names the shipped journey that this one was; None for those that operators made."""


@dataclass(frozen=True)
class JourneyCounts:
    """Enrollments of a journey."""

    entered: int
    active: int
    ended: dict[str, int]
    """By outcome."""


@dataclass(frozen=True)
class Enrollment:
    """One member on the way through a journey."""

    id: int
    journey_id: int
    version: int
    member_id: int
    node: str | None
    due_at: datetime | None
    outcome: str | None
    entered_at: datetime
    ended_at: datetime | None
