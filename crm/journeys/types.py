"""Public values of journeys."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from crm.kit.rules import Parameters


class JourneyStatus(StrEnum):
    """Whether a journey takes in and moves members."""

    DRAFT = "draft"
    ACTIVE = "active"
    PAUSED = "paused"


class SignedUpTrigger(Parameters):
    """When a member signs up."""

    kind: Literal["member_signed_up"] = "member_signed_up"


class NotCheckedInTrigger(Parameters):
    """When a signed-up member has not checked in for a number of days."""

    kind: Literal["not_checked_in"] = "not_checked_in"
    days: int = Field(ge=1, le=365, description="Whole local days without a check-in.")


Trigger = Annotated[SignedUpTrigger | NotCheckedInTrigger, Field(discriminator="kind")]


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
    trigger: SignedUpTrigger | NotCheckedInTrigger
    graph: Graph
    status: JourneyStatus
    version: int
    is_archived: bool
    created_at: datetime
    activated_at: datetime | None


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
