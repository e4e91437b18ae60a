"""Public values of bots."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any


class BotStatus(StrEnum):
    """Whether a bot takes part at all."""

    ACTIVE = "active"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Bot:
    """One account of the brand on one channel; its token never travels with it."""

    id: int
    channel: str
    name: str
    username: str | None
    status: BotStatus
    stopped_reason: str | None
    is_demo: bool
    mode: str
    """How updates arrive: `polling`, `webhook`, or what the channel names."""
    bulk_rate: float
    """Messages a second in the bulk lane."""
    bulk_paused_until: datetime | None
    settings: dict[str, Any]
    has_token: bool
    created_at: datetime
