"""Public values of campaigns."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from crm.deliveries.types import Broadcast, DeliveryCounts, MessageClass
from crm.messages.types import MessageContent


class CampaignStatus(StrEnum):
    """Where a campaign stands."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Campaign:
    """One campaign; counts are asked for apart, they are derived from deliveries."""

    id: int
    name: str
    segment_id: int
    message: MessageContent
    topic: str
    message_class: MessageClass
    status: CampaignStatus
    scheduled_at: datetime | None
    max_lateness_minutes: int
    """A schedule that is missed by more than this is held until someone confirms."""
    send_before: datetime | None
    held_reason: str | None
    """Why an overdue schedule or a paused run waits for a person."""
    audience_size: int | None
    """How many matched when it started."""
    version: int
    created_by: str
    launched_by: str | None
    created_at: datetime
    launched_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    is_archived: bool
    stars_cap: int | None = None
    """Stars that paid sending may cost at most; None where nothing is paid."""


@dataclass(frozen=True)
class NewCampaign:
    """What a draft needs."""

    name: str
    segment_id: int
    message: MessageContent
    topic: str = "news"
    message_class: MessageClass = MessageClass.MARKETING
    send_before: datetime | None = None
    max_lateness_minutes: int = 60


@dataclass(frozen=True)
class LaunchPlan:
    """What a launch would do, shown before it is confirmed."""

    audience: int
    reachable: int
    is_everyone: bool
    """The rule matches everyone: the launch wants `confirm_count`."""
    warnings: list[str] = field(default_factory=list)
    seconds: float = 0.0
    """How long it takes at the bots' rates, side by side."""
    stars: int | None = None
    """What it would cost to pay for each message; None where no bot of the audience offers that."""
    paid_seconds: float | None = None
    """How long it takes then."""
    agreed: int | None = None
    """How many of the reachable agreed to the topic; None for a class that needs no consent."""


@dataclass(frozen=True)
class CampaignProgress:
    """A campaign with its live counts."""

    campaign: Campaign
    counts: DeliveryCounts
    broadcast: Broadcast | None = None
    """How sending stands, once it has started: a pause that ends by itself shows here."""
