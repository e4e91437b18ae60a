"""Public values of missions and badges."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class Window(StrEnum):
    """How often a mission can be completed, by the member's own days."""

    ONCE = "once"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


class Comparison(StrEnum):
    """How a field of an event is compared."""

    EQUALS = "equals"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"


@dataclass(frozen=True)
class Filter:
    """Only events whose field says so; `properties.seats` looks inside of a field."""

    field: str
    test: Comparison
    value: str


@dataclass(frozen=True)
class Step:
    """So many events of a kind."""

    event: str
    count: int = 1
    where: tuple[Filter, ...] = ()


@dataclass(frozen=True)
class Rewards:
    """What completing gives; all of it is optional."""

    points: int = 0
    coupon_id: int | None = None
    badge_id: int | None = None
    draw_id: int | None = None
    draw_chances: int = 0


@dataclass(frozen=True)
class NewMission:
    """A mission to be made."""

    name: dict[str, str]
    steps: tuple[Step, ...]
    window: Window = Window.ONCE
    rewards: Rewards = field(default_factory=Rewards)
    description: dict[str, str] = field(default_factory=dict)
    tiers: list[str] = field(default_factory=list)
    """Keys of tiers; empty: everybody."""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    position: int = 0


@dataclass(frozen=True)
class Mission:
    """A mission. Steps and window are fixed, so that progress keeps its meaning."""

    id: int
    name: dict[str, str]
    description: dict[str, str]
    steps: tuple[Step, ...]
    window: Window
    rewards: Rewards
    tiers: list[str]
    starts_at: datetime | None
    ends_at: datetime | None
    position: int
    is_active: bool
    completed: int
    """How often it was completed by anybody."""
    created_at: datetime


@dataclass(frozen=True)
class Progress:
    """Where a member stands in the present window of a mission."""

    mission: Mission
    window: str
    counts: tuple[int, ...]
    """By step, never more than the step asks for."""
    completed_at: datetime | None

    @property
    def percent(self) -> int:
        """0 to 100, all steps together."""
        return 100 * sum(self.counts) // sum(step.count for step in self.mission.steps)


@dataclass(frozen=True)
class Badge:
    """A badge; names are by locale."""

    id: int
    name: dict[str, str]
    description: dict[str, str]
    emoji: str
    photo_media_id: UUID | None
    is_active: bool
    held: int
    """How many members have it."""
    created_at: datetime


@dataclass(frozen=True)
class HeldBadge:
    """A badge that a member has."""

    badge: Badge
    earned_at: datetime
    given_for: str
